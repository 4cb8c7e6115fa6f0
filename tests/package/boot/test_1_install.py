"""What `apt install` leaves: programs, rights, units, secrets."""
import re
import time

from conftest import DEB, Installed, answers, number
from machine import wait_for

UNITS = ("orrery.service", "orrery-proxy.service", "orrery-proxy.socket", "orrery-launch.socket")
PROGRAMS = ("/usr/bin/orrery", "/usr/bin/orrery-proxy", "/usr/lib/orrery/orrery-launch", "/usr/lib/orrery/orrery-session")
KIB = 1024


def packaged(machine):
    return [path for path in machine.run("dpkg", "--listfiles", "orrery").splitlines() if path.startswith("/") and path != "/."]


def test_nothing_is_written_at_the_level_of_a_warning(machine):
    assert not (told := machine.warnings()), "\n".join(told)


def test_a_minute_after_apt_install_people_sign_in(machine):
    ada = machine.account("ada", "orrery-users").browser()
    started = time.monotonic()
    ada.signed_in()
    seconds = machine.page_seconds + time.monotonic() - started
    number("apt install", f"{machine.install_seconds:.1f} s")
    number("apt install to the sign-in page", f"{machine.page_seconds:.1f} s")
    number("apt install to the first sign-in by PAM", f"{seconds:.1f} s")
    assert seconds < 60


def test_all_units_are_active_and_come_back_with_the_machine(machine):
    for unit in UNITS:
        assert machine.property(unit, "ActiveState") == "active", machine.run("systemctl", "status", unit, check=False).stdout
        assert machine.run("systemctl", "is-enabled", unit).strip() == "enabled"
    assert machine.run("systemctl", "--failed", "--no-legend", "--plain").strip() == ""
    assert machine.run("systemctl", "is-system-running", check=False).stdout.strip() == "running"


def test_size_and_libraries(machine):
    installed = int(machine.run("dpkg-query", "--show", "--showformat=${Installed-Size}", "orrery"))
    number("package", f"{DEB.stat().st_size / KIB / KIB:.2f} MiB")
    number("installed", f"{installed / KIB:.1f} MiB")
    for program in PROGRAMS:
        # what the program itself asks for, and everything that is loaded then
        needed = machine.shell(f"ldd {program} 2>&1 || true")
        loaded = [line for line in needed.splitlines() if "=>" in line or line.strip().startswith("/lib")]
        number(f"libraries of {program.rsplit('/', 1)[1]}", len(loaded))
        assert "not found" not in needed


def test_sec_111_exactly_one_program_is_setuid_and_nothing_is_writable_by_others(machine):
    files = packaged(machine)
    seen = machine.run("stat", "--printf", "%n\t%a\t%U:%G\t%F\n", *files)
    rights = {name: (mode, owner, kind) for name, mode, owner, kind in (line.split("\t") for line in seen.splitlines())}
    special = {name: value[:2] for name, value in rights.items() if len(value[0]) > 3 and value[2] == "regular file"}
    assert special == {"/usr/lib/orrery/orrery-launch": ("4750", "root:orrery")}
    assert [name for name, value in rights.items() if int(value[0][-1]) & 2 and value[2] != "symbolic link"] == []
    assert rights["/usr/lib/orrery/orrery-session"][:2] == ("700", "root:root")
    assert {value[1] for name, value in rights.items() if name not in special} == {"root:root"}
    # nothing that was made by the way is either, nor belongs to the daemon where it should not
    now = machine.files()
    new = {name: value for name, value in now.items() if name not in machine.before}
    # PrivateTmp= makes folders of systemd's, which nobody else can enter
    others = [name for name, value in new.items() if value[0] != "l" and int(value.split()[1][-1]) & 2]
    assert [name for name in others if not name.startswith("/var/tmp/systemd-private-")] == []
    number("setuid or setgid files that came with it", ", ".join(sorted(special)))
    setuid = [name for name, value in new.items() if value[0] == "f" and len(value.split()[1]) > 3]
    assert setuid == list(special)


def test_sec_111_dpkg_finds_every_file_as_it_was_packaged(machine):
    assert machine.run("dpkg", "--verify", "orrery") == ""


def test_sec_117_the_units_are_locked_in(machine):
    for unit, most in (("orrery.service", 2.0), ("orrery-proxy.service", 3.0)):
        told = machine.run("systemd-analyze", "security", "--no-pager", unit, check=False).stdout
        exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", told)[1])
        number(f"systemd-analyze security {unit}", exposure)
        assert exposure <= most, told


def test_the_doctor_knows_for_whom_systemd_listens(machine):
    def addresses():
        told = machine.run("setpriv", "--reuid=orrery", "--regid=orrery", "--init-groups", "orrery", "doctor", check=False).stdout
        return [line for line in told.splitlines() if "bind_url" in line]

    services = ("orrery.service", "orrery-proxy.service")
    machine.run("systemctl", "stop", *services)
    hub, proxy = addresses()
    assert "systemd listens on 127.0.0.1:8081 (orrery.socket), and the next connection starts orrery.service" in hub
    assert "systemd listens on 127.0.0.1:8000 (orrery-proxy.socket), and the next connection starts orrery-proxy.service" in proxy
    # to look starts nothing
    assert {machine.property(unit, "ActiveState") for unit in services} == {"inactive"}
    # and another program is another program
    machine.run("systemctl", "stop", "orrery.socket")
    machine.run("systemd-run", "--unit=squatter", "python3", "-m", "http.server", "--bind", "127.0.0.1", "8081")
    wait_for(lambda: machine.shell("ss -Hltn sport = :8081"), "the other program")
    assert addresses()[0].startswith("wrong")
    machine.run("systemctl", "stop", "squatter")
    machine.run("systemctl", "start", "orrery.socket", *services)
    wait_for(lambda: answers(machine), lambda: machine.journal("--unit=orrery", "-n", "30"))


def test_the_services_have_their_watchdog_and_say_when_they_are_ready(machine):
    assert machine.property("orrery.service", "Type") == "notify"
    assert machine.property("orrery-proxy.service", "Type") == "notify"
    assert machine.property("orrery.service", "WatchdogUSec") == "30s"
    for unit in ("orrery.service", "orrery-proxy.service"):
        pid = machine.property(unit, "MainPID")
        status = machine.run("cat", f"/proc/{pid}/status")
        assert re.search(r"CapPrm:\t0+\n", status) and re.search(r"NoNewPrivs:\t1\n", status)
        assert not re.search(r"Uid:\t0\t", status)


def test_sec_110_two_installations_have_no_secret_in_common(machine):
    other = Installed("orrery-two")
    try:
        other.account("ada", "orrery-users").browser().signed_in()
        machine.account("ada", "orrery-users").browser().signed_in()
        secrets = ("/var/lib/orrery/cookie_secret", "/run/orrery-launch/ticket.key")
        for secret in secrets:
            ours, theirs = (each.run("sha256sum", secret).split()[0] for each in (machine, other))
            assert ours != theirs, secret
            assert machine.run("stat", "--printf", "%a", secret) in ("600", "400")
        # nothing else that the package has made is secret and the same
        common = []
        for name, value in machine.files().items():
            if name in machine.before or not value.startswith("f") or not value.split()[1].endswith("00") or name in packaged(machine):
                continue
            sums = [each.run("sha256sum", name, check=False).stdout.split()[:1] for each in (machine, other)]
            common += [name] if sums[0] == sums[1] != [] else []
        # a database of a minute is in its write-ahead log
        harmless = ("/var/lib/systemd/", "/var/lib/private/", "/var/lib/orrery/orrery.sqlite")
        assert [name for name in common if not name.startswith(harmless)] == []
        reboots_well(other)
    finally:
        other.close()


def reboots_well(machine):
    """A machine that nobody has touched since the installation comes up with sign-in working."""
    machine.stop()
    machine.boot()
    wait_for(lambda: machine.property("orrery.service", "ActiveState") == "active", lambda: machine.journal("-n", "60"))
    assert not (told := machine.warnings()), "\n".join(told)
    machine.account("ada").browser().signed_in()
