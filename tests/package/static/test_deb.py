"""The Debian package as a file."""

import json
import os
import re
import subprocess
import tarfile
from pathlib import Path

from conftest import OUT, ROOT, needs, run

LIST = Path(__file__).with_name("files.txt")
PROGRAMS = ["usr/bin/orrery", "usr/bin/orrery-proxy", "usr/lib/orrery/orrery-launch", "usr/lib/orrery/orrery-session"]
# What the loader maps; the C library's own loader is counted, too.
LIBRARIES = {
    "orrery": {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpq.so.5", "ld-linux-x86-64.so.2"},
    "orrery-proxy": {"libc.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"},
    "orrery-session": {"libc.so.6", "libgcc_s.so.1", "libpam.so.0", "ld-linux-x86-64.so.2"},
    "orrery-launch": set(),
}


def members(deb):
    archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=archive.stdout, mode="r|") as content:
        yield from content
    archive.wait()


def expected(which):
    """(mode, owner, path) of each file in one of the packages. ORRERY_WRITE_FILES=1 writes the list anew."""
    lines = [line.split() for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return {(mode, owner, path) for where, mode, owner, path in lines if where in (which, "both")}


def test_it_holds_what_is_listed_with_these_rights(deb):
    found = set()
    for member in members(deb):
        path = member.name.lstrip(".")
        if member.isdir():
            assert member.mode == 0o755, path
            continue
        assert member.isfile(), path
        assert (member.uid, member.gid) == (0, 0), path
        found.add((f"{member.mode:04o}", "root:root", path))
    if os.environ.get("ORRERY_WRITE_FILES"):
        (OUT / "deb-files.json").write_text(json.dumps(sorted(found)))
        return
    # its group is only there when the package has made it: by postinst
    wanted = {(mode, "root:root", path) for mode, _, path in expected("deb")}
    assert found == wanted, f"more: {sorted(found - wanted)}\nmissing: {sorted(wanted - found)}"


def test_sec_111_one_setuid_file_and_nothing_that_others_may_write(deb):
    setuid = [member.name for member in members(deb) if member.mode & 0o6000]
    assert setuid == ["./usr/lib/orrery/orrery-launch"]
    assert [member.name for member in members(deb) if member.mode & 0o022] == []


def test_files_in_etc_are_conffiles_and_nothing_else_is(deb, tree):
    listed = set((tree / "DEBIAN/conffiles").read_text().split())
    assert listed == {path for _, _, path in expected("deb") if path.startswith("/etc/")}
    assert "/etc/orrery/launch.policy" not in listed, "it holds the uid of this machine"


def test_lintian_has_nothing_to_say(deb):
    needs("lintian")
    said = run("lintian", "--info", "--fail-on", "none", deb)
    assert not re.search(r"^[EWIP]: ", said, re.M), said
    unused = [line for line in said.splitlines() if "unused-override" in line or "mismatched-override" in line]
    assert unused == []


def test_scripts_are_clean_and_know_every_unit(tree):
    needs("shellcheck")
    units = {path.name for path in (ROOT / "packaging/systemd").iterdir() if "[Install]" in path.read_text()}
    for name in ("preinst", "postinst", "prerm", "postrm"):
        script = tree / "DEBIAN" / name
        run("shellcheck", "--shell=dash", script)
        text = script.read_text()
        assert "@" not in re.sub(r"\$@|dpkg\S*", "", text), f"{name} has a place that build.sh did not fill"
        assert not re.search(r"ch(own|mod)\s+(-\S*R|--recursive)", text), "SEC-112: never by whole trees"
        if name != "preinst":
            missing = {unit for unit in units if unit not in text}
            assert not missing, f"{name}: {missing}"


def test_each_program_needs_few_libraries(tree, number):
    for program in PROGRAMS:
        needed = set(re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "--dynamic", "--wide", tree / program)))
        name = Path(program).name
        assert needed <= LIBRARIES[name], needed - LIBRARIES[name]
        number(f"shared libraries of {name}", f"{len(needed)}  {' '.join(sorted(needed))}")


def test_size(deb, tree, number):
    size = deb.stat().st_size
    number(deb.name, f"{size / 1e6:.1f} MB")
    installed = re.search(r"^Installed-Size: (\d+)", (tree / "DEBIAN/control").read_text(), re.M)[1]
    number("installed", f"{int(installed) / 1000:.1f} MB")
    for program in PROGRAMS:
        number(Path(program).name, f"{(tree / program).stat().st_size / 1e6:.1f} MB")
    if profile() == "dist":
        assert size <= 8_000_000


def profile():
    return (OUT / "profile").read_text().strip()


def test_sec_063_sec_118_programs_are_stripped_hardened_and_know_no_folder_of_the_builder(tree):
    run(ROOT / "tests/support/hardened.sh", tree / "usr/lib/orrery/orrery-launch")
    for program in PROGRAMS:
        header = run("readelf", "--wide", "--program-headers", "--sections", "--dynamic", tree / program)
        assert ".symtab" not in header, program
        assert "GNU_RELRO" in header and re.search(r"GNU_STACK.* RW ", header), program
        assert re.search(r"BIND_NOW|FLAGS_1.*NOW", header), program
        if profile() == "dist":
            assert str(ROOT).encode() not in (tree / program).read_bytes(), f"{program} names {ROOT}"


def test_sec_118_the_bill_of_materials_names_every_crate_and_the_copyright_file_too(tree):
    copyright = (tree / "usr/share/doc/orrery/copyright").read_text()
    for program in PROGRAMS:
        name = Path(program).name
        bill = json.loads((tree / f"usr/share/doc/orrery/sbom/{name}.cdx.json").read_text())
        assert bill["bomFormat"] == "CycloneDX" and bill["metadata"]["component"]["name"] == name
        crates = {(part["name"], part["version"]) for part in bill["components"]}
        assert crates, name
        assert all(part.get("purl", "").startswith("pkg:cargo/") for part in bill["components"])
    own = {"orrery", "orrery-proxy", "orrery-wire", "orrery-session", "orrery-launch"}
    listed = set(re.findall(r"([\w-]+)-(\d+\.\d+\.\d+[^/\s]*)/\*", copyright))
    assert len(listed) > 100 and not {name for name, _ in listed} & own
    lock = (ROOT / "Cargo.lock").read_text()
    assert all(f'name = "{name}"\nversion = "{version}"' in lock for name, version in listed)
    assert "see-text" not in copyright


def test_the_changelog_is_of_this_version(deb, tree):
    import gzip
    version = re.search(r"^Version: (.*)$", (tree / "DEBIAN/control").read_text(), re.M)[1]
    assert deb.name.startswith(f"orrery_{version}_")
    assert gzip.decompress((tree / "usr/share/doc/orrery/changelog.gz").read_bytes()).startswith(f"orrery ({version})".encode())
