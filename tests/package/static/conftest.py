"""The two packages, unpacked, and Debian roots to install them in (run.sh)."""

import contextlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
OUT = Path(os.environ.get("ORRERY_PACKAGES", ROOT / "target/package"))
DEBIAN = Path(os.environ.get("ORRERY_TEST_ROOT", ROOT / ".dev/package-root"))
NUMBERS = []
INSIDE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


def run(*command, **options):
    """What a command prints; it must succeed."""
    # ORRERY_... would be settings
    options.setdefault("env", {name: value for name, value in os.environ.items() if not name.startswith("ORRERY_")})
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False, **options)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def needs(program):
    """Skips a test for which the machine lacks a program; CI has all of them."""
    found = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not found:
        pytest.skip(f"{program} is not installed")
    return found


@pytest.fixture(scope="session")
def number():
    """number(what, value): a line of the table at the end."""
    return lambda what, value: NUMBERS.append((what, value))


def pytest_terminal_summary(terminalreporter):
    if NUMBERS:
        terminalreporter.write_sep("-", "the packages")
        for what, value in NUMBERS:
            terminalreporter.write_line(f"{what:<44} {value}")


def only(pattern):
    found = sorted(OUT.glob(pattern))
    if not found:
        pytest.exit(f"no {pattern} in {OUT}: make package", 2)
    assert len(found) == 1, f"several packages: {found}"
    return found[0]


@pytest.fixture(scope="session")
def deb():
    return only("*.deb")


@pytest.fixture(scope="session")
def rpm():
    return only("*.rpm")


@pytest.fixture(scope="session")
def tree(deb, tmp_path_factory):
    """What the Debian package unpacks to."""
    folder = tmp_path_factory.mktemp("deb")
    run("dpkg-deb", "--raw-extract", deb, folder)
    return folder


class Debian:
    """A copy of a minimal Debian that is gone afterwards. systemd is installed and does not run, as in many containers."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *command, **options):
        """A command in it, as root."""
        return run("chroot", self.folder, *command, env=INSIDE, **options)

    def shell(self, script):
        return self.run("sh", "-ec", script)

    def path(self, inside):
        return self.folder / inside.lstrip("/")

    def listed(self, *conditions):
        """Files on this system, found by `find`."""
        found = run("find", self.folder, "-xdev", *conditions, "-printf", "%m %u:%g %P\n")
        return set(found.splitlines())

    def mode(self, inside):
        """`4750 root:orrery` of a file, names as it knows them."""
        return self.run("stat", "-c", "%a %U:%G", inside).strip()

    def files(self):
        """Every file with owner, rights, size and time of the last change, except what packaging tools keep for themselves."""
        found = {}
        for folder, folders, files in os.walk(self.folder):
            here = Path(folder)
            if here == self.folder:
                folders[:] = [name for name in folders if name not in ("proc", "dev", "sys")]
            for name in folders + files:
                path = here / name
                about = os.lstat(path)
                kept = (stat.filemode(about.st_mode), about.st_uid, about.st_gid)
                size = () if stat.S_ISDIR(about.st_mode) else (about.st_size, about.st_mtime_ns)
                found["/" + str(path.relative_to(self.folder))] = kept + size
        return found


@pytest.fixture
def debian(tmp_path):
    """debian() -> a new Debian, as often as asked for."""
    if os.geteuid() != 0:
        pytest.skip("it needs root")
    if not (DEBIAN / "usr").is_dir():
        pytest.skip(f"no Debian in {DEBIAN} (tests/package/boot/root.sh makes it)")
    with contextlib.ExitStack() as mounts:
        def new():
            base = tmp_path / f"debian-{len(list(tmp_path.iterdir()))}"
            base.mkdir()
            run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", base)
            mounts.callback(subprocess.run, ["umount", "--recursive", "--lazy", base], check=True)
            for name in ("up", "work", "root"):
                (base / name).mkdir(mode=0o755)
            root = base / "root"
            run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={DEBIAN},upperdir={base}/up,workdir={base}/work", root)
            run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", root / "run")
            run("mount", "-t", "proc", "proc", root / "proc")
            for name in ("null", "urandom", "random", "zero"):
                (root / "dev" / name).touch()
                run("mount", "--bind", f"/dev/{name}", root / "dev" / name)
            return Debian(root)

        yield new
