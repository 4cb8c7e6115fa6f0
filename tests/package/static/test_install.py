"""The Debian package on a Debian on which systemd does not run, as in a container; with systemd: tests/package/boot."""

import os
import re
import shutil
import subprocess
import time

import pytest

from conftest import INSIDE, run

LAUNCH = "/usr/lib/orrery/orrery-launch"


def install(machine, deb):
    shutil.copy(deb, machine.path("/tmp"))
    done = subprocess.run(
        ["chroot", machine.folder, "dpkg", "--install", f"/tmp/{deb.name}"],
        text=True, capture_output=True, env=INSIDE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def newer(deb, folder, **changes):
    """The same package as version 9, with other contents of some files (path -> function of the text)."""
    tree = folder / "newer"
    run("dpkg-deb", "--raw-extract", deb, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", "Version: 9.0", control.read_text(), flags=re.M))
    for path, change in changes.items():
        file = tree / path
        file.write_text(change(file.read_text()))
    result = folder / "orrery_9.0_amd64.deb"
    run("dpkg-deb", "--build", "-Zgzip", "-z1", tree, result)
    return result


def hub_once(machine, *options):
    """Runs the hub until it answers, as its account and without systemd. Gives what it logged."""
    command = ["chroot", "--userspec=orrery:orrery", machine.folder, "/usr/bin/orrery", "--config", "/etc/orrery/orrery.toml",
               "--set", "proxy.type=embedded", "--set", "proxy.bind_url=http+unix://%2Frun%2Forrery%2Fpublic.sock", "--set", "hub.launch_socket=", *options]
    started = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=INSIDE)
    said = ""
    deadline = time.monotonic() + 30
    try:
        for line in started.stdout:
            said += line
            if "Orrery is now running" in line:
                return said
            assert time.monotonic() < deadline, said
        raise AssertionError(said)
    finally:
        started.terminate()
        started.wait(20)
        started.stdout.close()


def test_sec_111_what_is_installed_has_these_rights_and_stays_as_it_was_packed(debian, deb):
    machine = debian()
    setuid, open_to_all = machine.listed("-type", "f", "-perm", "/6000"), machine.listed("-perm", "-o+w", "-not", "-type", "l")
    said = install(machine, deb)
    assert "http://127.0.0.1:8000" in said and "orrery user-env create" in said
    assert machine.listed("-type", "f", "-perm", "/6000") - setuid == {f"4750 root:{group(machine)} usr/lib/orrery/orrery-launch"}
    assert machine.listed("-perm", "-o+w", "-not", "-type", "l") - open_to_all == set()
    assert machine.mode(LAUNCH) == "4750 root:orrery"
    assert machine.mode("/usr/lib/orrery/orrery-session") == "700 root:root"
    assert machine.mode("/etc/orrery/launch.policy") == "644 root:root"
    assert machine.mode("/var/lib/orrery") == "700 orrery:orrery"
    assert machine.mode("/run/orrery-launch") == "711 root:root"
    assert machine.run("dpkg", "--verify", "orrery") == ""
    assert machine.run("dpkg-statoverride", "--list", LAUNCH).split() == ["root", "orrery", "4750", LAUNCH]
    # again, as an upgrade does it: rights are right from the moment of unpacking
    install(machine, deb)
    assert machine.mode(LAUNCH) == "4750 root:orrery" and machine.run("dpkg", "--verify", "orrery") == ""


def group(machine):
    """The host's name for the group of the account in there, as find prints it."""
    number = machine.run("getent", "group", "orrery").split(":")[2]
    import grp
    try:
        return grp.getgrgid(int(number)).gr_name
    except KeyError:
        return number


def test_the_account_is_a_daemons_and_nobody_may_sign_in_yet(debian, deb):
    machine = debian()
    install(machine, deb)
    name, _, uid, _, _, home, shell = machine.run("getent", "passwd", "orrery").strip().split(":")
    assert int(uid) < 1000 and home == "/var/lib/orrery" and shell.endswith("nologin")
    assert machine.run("getent", "group", "orrery-users").strip().endswith(":")
    assert machine.run("passwd", "--status", "orrery").split()[1] == "L"


def test_sec_110_two_installations_have_different_secrets(debian, deb):
    secrets = []
    for _ in range(2):
        machine = debian()
        install(machine, deb)
        hub_once(machine)
        kept = machine.path("/var/lib/orrery/cookie_secret")
        assert machine.mode("/var/lib/orrery/cookie_secret") == "600 orrery:orrery"
        assert machine.mode("/var/lib/orrery/orrery.sqlite") == "600 orrery:orrery"
        secrets.append(kept.read_bytes())
    assert len(secrets[0]) >= 32 and secrets[0] != secrets[1]


def test_a_policy_that_nobody_changed_follows_the_package(debian, deb, tmp_path):
    version9 = newer(deb, tmp_path, **{"usr/share/orrery/launch.policy": lambda text: text + "# of version 9\n"})
    machine = debian()
    install(machine, deb)
    policy = machine.path("/etc/orrery/launch.policy")
    uid = machine.run("id", "-u", "orrery").strip()
    install(machine, version9)
    assert policy.read_text().endswith("# of version 9\n") and f"\ncaller_uid = {uid}\n" in policy.read_text()
    assert not policy.with_name("launch.policy.unchanged").exists()


def test_a_policy_that_somebody_changed_is_kept_and_so_are_settings(debian, deb, tmp_path):
    version9 = newer(deb, tmp_path, **{"usr/share/orrery/launch.policy": lambda text: text + "# of version 9\n"})
    machine = debian()
    install(machine, deb)
    policy, settings = machine.path("/etc/orrery/launch.policy"), machine.path("/etc/orrery/orrery.toml")
    for file in (policy, settings):
        file.write_text(file.read_text() + "# ours\n")
    install(machine, version9)
    assert policy.read_text().endswith("# ours\n") and settings.read_text().endswith("# ours\n")
    policy.write_text(re.sub("caller_uid = .*", "caller_uid = 4", policy.read_text()))
    assert "caller_uid in /etc/orrery/launch.policy is not the uid of the account orrery" in install(machine, version9)
    assert "caller_uid = 4\n" in policy.read_text()


def test_an_administrators_override_of_the_rights_is_kept(debian, deb):
    machine = debian()
    machine.run("dpkg-statoverride", "--add", "root", "adm", "0700", LAUNCH)
    install(machine, deb)
    assert machine.mode(LAUNCH) == "700 root:adm"
    machine.run("dpkg", "--purge", "orrery")
    assert machine.run("dpkg-statoverride", "--list", LAUNCH).split() == ["root", "adm", "700", LAUNCH]


# What the daemon's account, or a user, can put in its own folders for root to stumble over.
PLANTED = """
echo precious >/srv/precious; chmod 0640 /srv/precious; mkdir -m 0750 /srv/folder; echo kept >/srv/folder/kept
as() { setpriv --reuid "$1" --regid "$1" --clear-groups sh -ec "$2"; }
as orrery '
  cd /var/lib/orrery
  ln -s /srv/precious orrery.sqlite; ln -s /srv/folder cookie_secret; ln -s / root; ln -s /srv/folder backups
  mkdir -p deep/down; ln -s /etc/passwd deep/down/x; ln -s .. deep/up; printf x >"$(printf "new\\nline")"; printf x >-rf
  cd /run/orrery; ln -s /srv/folder tickets; ln -s /etc/shadow admin.sock'
install -d -o 1000 -g 1000 -m 0700 /run/orrery-launch/servers/1000; ln -s /srv/folder /run/orrery-launch/servers/1000/x
chown -h 1000:1000 /run/orrery-launch/servers/1000/x
"""


def test_sec_112_planted_links_lead_neither_upgrade_nor_purge_astray(debian, deb, tmp_path):
    machine = debian()
    install(machine, deb)
    machine.shell(PLANTED)
    watched = lambda: {path: about for path, about in machine.files().items() if path.startswith(("/srv", "/etc/passwd", "/etc/shadow", "/etc/group", "/home"))}
    before = watched()
    install(machine, newer(deb, tmp_path))
    assert watched() == before
    machine.run("dpkg", "--purge", "orrery")
    assert watched() == before
    assert machine.path("/srv/precious").read_text() == "precious\n" and machine.path("/srv/folder/kept").read_text() == "kept\n"
    assert not machine.path("/var/lib/orrery").exists() and not machine.path("/run/orrery-launch").exists()


def test_a_data_folder_on_another_disk_is_left(debian, deb):
    machine = debian()
    install(machine, deb)
    moved = machine.path("/srv/data")
    shutil.move(machine.path("/var/lib/orrery"), moved)
    (moved / "orrery.sqlite").write_text("rows")
    machine.path("/var/lib/orrery").symlink_to("/srv/data")
    done = subprocess.run(["chroot", machine.folder, "dpkg", "--purge", "orrery"], text=True, capture_output=True, env=INSIDE)
    assert done.returncode == 0 and "/var/lib/orrery is a link" in done.stderr
    assert (moved / "orrery.sqlite").read_text() == "rows" and not os.path.lexists(machine.path("/var/lib/orrery"))


def test_removal_keeps_data_and_settings_and_purge_takes_them_and_nothing_else(debian, deb):
    machine = debian()
    before = machine.files()
    install(machine, deb)
    hub_once(machine)
    machine.path("/etc/orrery/orrery.d/50-ours.toml").write_text("hub.port = 8081\n")
    machine.path("/opt/orrery/jupyter").mkdir(parents=True)
    machine.run("dpkg", "--remove", "orrery")
    for kept in ("/var/lib/orrery/orrery.sqlite", "/etc/orrery/orrery.toml", "/etc/orrery/launch.policy", "/etc/orrery/orrery.d/50-ours.toml"):
        assert machine.path(kept).exists(), kept
    assert not machine.path("/usr/bin/orrery").exists()
    install(machine, deb)
    hub_once(machine)
    machine.run("dpkg", "--purge", "orrery")
    assert machine.path("/etc/orrery/orrery.d/50-ours.toml").exists() and machine.path("/opt/orrery/jupyter").is_dir()
    machine.path("/etc/orrery/orrery.d/50-ours.toml").unlink()
    own = re.compile(r"/etc/(passwd|group|g?shadow|subuid|subgid)-?$|/etc/\.pwd\.lock$|/var/lib/dpkg/|/var/log/|/tmp/|/opt/orrery|/etc/orrery(/orrery.d)?$|/var/cache/|/var/lib/systemd/|/usr/share/man|/var/lib/apparmor")
    after = machine.files()
    # folders change their time only
    left = sorted(path for path in after.keys() - before.keys() if not own.match(path))
    gone = sorted(path for path in before.keys() - after.keys() if not own.match(path))
    changed = sorted(path for path in before.keys() & after.keys() if before[path] != after[path] and not own.match(path))
    assert (left, gone, changed) == ([], [], [])
    assert machine.run("getent", "passwd", "orrery"), "accounts stay: files of theirs may be anywhere"
    assert "orrery" not in machine.run("dpkg-statoverride", "--list", "*")
