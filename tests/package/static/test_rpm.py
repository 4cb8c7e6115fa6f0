"""The RPM, with Debian's rpm: as a file, and installed."""

import json
import os
import re

from conftest import OUT, ROOT, needs, run
from test_deb import LIST, expected


def listed(rpm):
    query = "[%{FILEMODES:octal} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES} %{FILEFLAGS:fflags}\n]"
    for line in run("rpm", "-qp", "--queryformat", query, rpm).splitlines():
        mode, owner, path, flags = (line.split(" ") + [""])[:4]
        yield f"{int(mode, 8) & 0o7777:04o}", owner, path, flags


def test_it_holds_what_is_listed_with_these_rights(rpm):
    needs("rpm")
    found = {entry[:3] for entry in listed(rpm)}
    if os.environ.get("ORRERY_WRITE_FILES"):
        write(found)
        return
    wanted = expected("rpm")
    assert found == wanted, f"more: {sorted(found - wanted)}\nmissing: {sorted(wanted - found)}"


def write(rpm):
    """The list for both, from what is in them now: to be read before it is committed."""
    owners = {path: owner for _, owner, path in rpm}
    deb = {(mode, owners.get(path, owner), path) for mode, owner, path in json.loads((OUT / "deb-files.json").read_text())}
    lines = ["# Every file of the packages: which of them, mode, owner, path. ORRERY_WRITE_FILES=1 make package-lint writes it."]
    for mode, owner, path in sorted(deb | rpm, key=lambda entry: entry[2]):
        where = "both" if (mode, owner, path) in deb & rpm else "deb" if (mode, owner, path) in deb else "rpm"
        lines.append(f"{where} {mode} {owner} {path}")
    LIST.write_text("\n".join(lines) + "\n")


def test_sec_111_one_setuid_file_and_nothing_that_others_may_write(rpm):
    files = list(listed(rpm))
    assert [entry[:3] for entry in files if int(entry[0], 8) & 0o6000] == [("4750", "root:orrery", "/usr/lib/orrery/orrery-launch")]
    assert [path for mode, _, path, _ in files if int(mode, 8) & 0o022] == []


def test_files_in_etc_are_kept_when_they_were_changed(rpm):
    for _, _, path, flags in listed(rpm):
        assert ("c" in flags and "n" in flags) == path.startswith("/etc/"), (path, flags)


def test_rpmlint_has_nothing_to_say(rpm):
    needs("rpmlint")
    said = run("rpmlint", "--config", ROOT / "packaging/rpm/rpmlint.toml", rpm)
    assert re.search(r" 0 errors, 0 warnings,", said), said


# What every RPM system with a systemd of this age has: packages by these names, and libraries by their symbols.
NAMES = {"/bin/sh", "pam", "systemd >= 249", "rtld(GNU_HASH)"}
LIBRARIES = {"ld-linux-x86-64.so.2", "libc.so.6", "libgcc_s.so.1", "libm.so.6", "libpam.so.0", "libpq.so.5"}
# glibc of RHEL 9, the oldest that is meant
GLIBC = (2, 34)


def test_it_asks_for_nothing_that_rhel_9_does_not_have(rpm):
    """The names that dnf has to find; on a machine whose books have them it installs: tests/package/boot/test_9_readme.py."""
    for wanted in run("rpm", "-qp", "--requires", rpm).splitlines():
        wanted = wanted.strip()
        if wanted in NAMES or wanted.startswith(("rpmlib(", "config(orrery)")):
            continue
        library, _, symbols = wanted.removesuffix("(64bit)").partition("(")
        assert library in LIBRARIES, wanted
        if found := re.match(r"GLIBC_([\d.]+)\)", symbols):
            assert tuple(map(int, found[1].split("."))) <= GLIBC, wanted


def test_scripts_are_clean_and_know_every_unit(rpm, tmp_path):
    needs("shellcheck")
    units = {path.name for path in (ROOT / "packaging/systemd").iterdir() if "[Install]" in path.read_text()}
    for tag, knows in (("PREIN", False), ("POSTIN", True), ("PREUN", True), ("POSTUN", False)):
        text = run("rpm", "-qp", "--queryformat", f"%{{{tag}}}", rpm)
        script = tmp_path / tag
        script.write_text(text + "\n")
        run("shellcheck", "--shell=sh", script)
        assert not re.search(r"@[A-Z]+@", text), f"{tag} has a place that build.sh did not fill"
        assert not knows or all(unit in text for unit in units), tag
    program = run("rpm", "-qp", "--queryformat", "%{PREINPROG} %{POSTINPROG} %{PREUNPROG} %{POSTUNPROG}", rpm)
    assert set(program.split()) == {"/bin/sh"}


def test_sec_111_rpm_installs_it_as_described_and_verifies_it(rpm, debian):
    needs("rpm")
    machine = debian()
    # --nodeps: Debian's libraries are in no database of RPM's
    said = run("rpm", "--root", machine.folder, "--install", "--nodeps", rpm)
    verified = run("rpm", "--root", machine.folder, "--verify", "--nodeps", "orrery")
    assert (said, verified) == ("", ""), f"{said}\n{verified}"
    assert machine.mode("/usr/lib/orrery/orrery-launch") == "4750 root:orrery"
    uid = machine.run("id", "-u", "orrery").strip()
    assert f"\ncaller_uid = {uid}\n" in machine.path("/etc/orrery/launch.policy").read_text()
    assert machine.mode("/var/lib/orrery") == "700 orrery:orrery"
    assert machine.path("/etc/pam.d/orrery").read_text().startswith("#%PAM-1.0")
    # the same version once more is what an upgrade does, with an argument of 2
    policy = machine.path("/etc/orrery/launch.policy")
    policy.write_text(policy.read_text() + "# ours\n")
    run("rpm", "--root", machine.folder, "--upgrade", "--force", "--nodeps", rpm)
    assert policy.read_text().endswith("# ours\n")
    assert run("rpm", "--root", machine.folder, "--verify", "--nodeps", "orrery") == ""
    run("rpm", "--root", machine.folder, "--erase", "orrery")
    assert not machine.path("/usr/bin/orrery").exists() and machine.path("/var/lib/orrery").is_dir()
