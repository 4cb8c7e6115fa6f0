"""The RPM on a machine of Debian's: what a system of RPM's has of its own is told to RPM's books as what the machine really has."""
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LIBRARIES = ("libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpam.so.0", "libpq.so.5", "ld-linux-x86-64.so.2")
# As authselect leaves them on Fedora and RHEL: local accounts only.
PAM = {
    "password-auth": "auth required pam_env.so\nauth sufficient pam_unix.so\nauth required pam_deny.so\naccount required pam_unix.so\n"
                     "password sufficient pam_unix.so shadow use_authtok\npassword required pam_deny.so\nsession required pam_unix.so\n"
                     "-session optional pam_systemd.so\n",
    "postlogin": "session optional pam_lastlog.so showfailed silent\n",
}


def provides(machine):
    """What RPM's own generator says of the machine's libraries, and the names of packages that the RPM asks for."""
    files = machine.run("sh", "-c", f"for name in {' '.join(LIBRARIES)}; do realpath $(ldconfig -p | grep -F $name' ' | head -1 | sed 's/.*=> //'); done")
    inside = "".join(f"/proc/{machine.leader}/root{file}\n" for file in files.splitlines())
    said = subprocess.run(["/usr/lib/rpm/elfdeps", "--provides"], input=inside, text=True, capture_output=True, check=True).stdout
    systemd = machine.run("dpkg-query", "--show", "--showformat=${Version}", "systemd").split(".")[0].split("-")[0]
    return [*said.splitlines(), "/bin/sh", "pam", f"systemd = {systemd}", "rtld(GNU_HASH)"]


def base(machine):
    """Makes the machine one whose packages are RPM's, as far as dependencies go."""
    folder = machine.folder / "base"
    folder.mkdir()
    listed = "".join(f"Provides: {name}\n" for name in provides(machine))
    (folder / "base.spec").write_text(
        f"Name: base\nVersion: 1\nRelease: 1\nSummary: What the machine has\nLicense: none\nBuildArch: noarch\n{listed}%description\n.\n%files\n")
    subprocess.run(["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {folder}", folder / "base.spec"], check=True, capture_output=True)
    [made] = folder.glob("RPMS/*/*.rpm")
    machine.run("dnf", "--assumeyes", "install", machine.copy(made))
    for name, text in PAM.items():
        machine.write(f"/etc/pam.d/{name}", text)


def newer(version):
    """The same package with another version, as the next release would be."""
    made = ROOT / f".dev/package-run/orrery-{version}.rpm"
    tools = f"{ROOT}/.dev/tools/bin:{os.environ['PATH']}"
    subprocess.run(["cargo", "generate-rpm", "--payload-compress", "none", "--metadata-overwrite", "target/package/rpm/files.toml",
                    "--set-metadata", f'version = "{version}"', "--output", made],
                   cwd=ROOT, env=os.environ | {"PATH": tools}, check=True, capture_output=True)
    return made
