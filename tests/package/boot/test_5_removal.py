"""What root's scripts do in folders that the daemon can write in, and what `apt remove` and `apt purge` leave."""
import pytest

from conftest import Installed, built, repacked

# Where the daemon's account can write.
FOLDERS = ("/var/lib/orrery", "/run/orrery")
OUTSIDE = "/srv/outside"
DATA = ("/etc/orrery/orrery.toml", "/etc/orrery/launch.policy", "/var/lib/orrery/orrery.sqlite", "/var/lib/orrery/cookie_secret")


@pytest.fixture(scope="module")
def spare():
    """A machine that is spoiled in the end."""
    machine = Installed("orrery-spare")
    machine.account("ada", "orrery-users").browser().signed_in()
    yield machine
    machine.close()


def outside(machine):
    """Files of others, as `find` and their contents tell them."""
    return machine.shell(f"cd {OUTSIDE}; find . -printf '%p %y %m %U:%G %s\n' | sort; find . -type f -exec sha256sum '{{}}' + | sort")


def plant(machine):
    """As somebody who has taken over the daemon's account would: links to what is root's and other people's."""
    machine.shell(f"""
mkdir -p {OUTSIDE}/folder
echo precious >{OUTSIDE}/folder/file; echo secret >{OUTSIDE}/file; chmod 0600 {OUTSIDE}/file
cp /etc/passwd /etc/shadow {OUTSIDE}; chmod 0640 {OUTSIDE}/shadow
""")
    for folder in FOLDERS:
        machine.shell(f"""
setpriv --reuid orrery --regid orrery --clear-groups sh -euc '
cd {folder}
ln -sfn {OUTSIDE}/folder planted-folder
ln -sf {OUTSIDE}/file planted-file
ln -sf {OUTSIDE}/shadow orrery.sqlite.backup
ln -sf {OUTSIDE}/shadow cookie_secret.new
ln -sfn {OUTSIDE}/folder backups
mkdir -p deep/er; ln -sfn / deep/er/root; ln -sf {OUTSIDE}/passwd deep/er/passwd
ln {OUTSIDE}/passwd hard 2>/dev/null || true
'""")


def test_sec_112_an_upgrade_follows_no_link_of_the_daemons(spare):
    plant(spare)
    before = outside(spare)
    spare.run("apt-get", "install", "--yes", spare.copy(built(repacked("99.0.1", "planted"))))
    assert outside(spare) == before
    assert spare.property("orrery.service", "ActiveState") == "active", spare.journal("--unit=orrery", "-n", "20")
    spare.account("ada").browser().signed_in()


def test_remove_keeps_settings_and_data(spare):
    spare.write("/etc/orrery/orrery.d/50-local.toml", "[hub]\nnamed_servers = { enabled = true }\n")
    held = {path: spare.run("sha256sum", path) for path in DATA[:2] + DATA[3:]}
    spare.run("apt-get", "remove", "--yes", "orrery")
    assert {path: spare.run("sha256sum", path) for path in held} == held
    spare.run("test", "-s", DATA[2])
    assert spare.run("pgrep", "--exact", "orrery|orrery-proxy", check=False).stdout == ""
    assert spare.run("systemctl", "--failed", "--no-legend", "--plain").strip() == ""
    kept = set(spare.run("dpkg-query", "--show", "--showformat=${Conffiles}", "orrery").split())
    left = set(spare.run("find", "/usr", "/etc", "-name", "*orrery*", "-type", "f", "!", "-path", "/etc/orrery/*").split())
    assert left <= kept and "/etc/pam.d/orrery" in left, left - kept


def test_what_was_removed_comes_back_with_its_data(spare):
    file = built(repacked("99.0.2", "back"))
    spare.install(file)
    browser = spare.account("ada").browser().signed_in()
    assert browser.api("GET", "/users/ada").json()["name"] == "ada"


def test_sec_112_purge_removes_everything_of_its_own_and_nothing_else(spare):
    spare.run("mkdir", "-p", "/opt/orrery/jupyter-1")
    spare.run("rm", "-f", "/etc/orrery/orrery.d/50-local.toml")
    before, others = outside(spare), spare.run("find", "/home", "/opt/orrery", "-printf", "%p %y %m %U:%G %l\n")
    plant(spare)
    spare.run("apt-get", "purge", "--yes", "orrery")
    assert outside(spare) == before
    assert spare.run("find", "/home", "/opt/orrery", "-printf", "%p %y %m %U:%G %l\n") == others
    now = spare.files()
    left = [name for name in now if name not in spare.before]
    mine = [name for name in left if "orrery" in name and not name.startswith(("/opt/orrery", "/home/", "/run/"))]
    assert mine == [], mine
    assert spare.shell("ls -d /run/orrery* 2>/dev/null || true") == ""
    gone = [name for name in spare.before if name not in now]
    # dpkg's own books have a copy of the day before
    assert [name for name in gone if not name.startswith(("/var/lib/dpkg/", "/var/cache/", "/tmp/", "/var/log/journal/"))] == [], gone
    assert spare.run("systemctl", "is-system-running", check=False).stdout.strip() == "running"


def test_sec_112_a_link_in_place_of_the_daemons_folder_is_not_followed():
    machine = Installed("orrery-link")
    try:
        plant(machine)
        before = outside(machine)
        machine.shell(f"""
systemctl stop orrery.socket orrery.service
for folder in /var/lib/orrery /var/log/orrery; do rm -rf $folder; ln -s {OUTSIDE}/folder $folder; done""")
        machine.run("apt-get", "purge", "--yes", "orrery")
        assert outside(machine) == before
        assert machine.shell("ls -d /var/lib/orrery /var/log/orrery 2>/dev/null || true") == ""
    finally:
        machine.close()
