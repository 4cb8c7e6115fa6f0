"""A user's home is the user's: links, pipes and traps in it lead root nowhere, and it is entered as the user."""
import os
import shutil
from pathlib import Path

import pytest

import wire
from conftest import add_to_service, add_user, compile_library, sign_in, start

TEMPTING = [".profile", ".bashrc", ".bash_profile", ".pam_environment", ".local", ".cache", ".config", ".jupyter", ".ipython", ".ssh",
            ".hushlogin", ".Xauthority", ".jupyterhub", "s1.log", "jupyterhub.log"]


@pytest.fixture
def shadow():
    """Root's files stay as they are."""
    before = {path: (path.read_bytes(), os.stat(path).st_mode, os.stat(path).st_uid) for path in
              (Path("/etc/shadow"), Path("/etc/passwd"), wire.POLICY)}
    yield
    for path, was in before.items():
        assert (path.read_bytes(), os.stat(path).st_mode, os.stat(path).st_uid) == was, path


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder"])
def test_sec_069_whatever_lies_in_the_home_leads_root_nowhere(kind):
    who = add_user()
    before = Path("/etc/shadow").read_bytes()
    for name in TEMPTING:
        path = who.home / name
        path.unlink(missing_ok=True)
        match kind:
            case "link":
                path.symlink_to("/etc/shadow")
            case "dangling":
                path.symlink_to(f"/etc/made-by-{name}")
            case "pipe":
                os.mkfifo(path)
            case "folder":
                path.mkdir(mode=0)
        os.chown(path, who.uid, who.gid, follow_symlinks=False)
    server = start(who, sign_in(who).ticket).ready()
    server.stop()
    assert Path("/etc/shadow").read_bytes() == before
    assert not list(Path("/etc").glob("made-by-*"))


@pytest.mark.parametrize("target", ["/root", "/etc", "/run/orrery-launch", "/proc/1/cwd", "/nowhere"])
def test_sec_087_a_home_that_is_a_link_is_followed_as_the_user(someone, target, shadow):
    shutil.rmtree(someone.home)
    someone.home.symlink_to(target)
    try:
        cwd = os.readlink(f"/proc/{start(someone).ready().pid}/cwd")
        assert someone.run("test", "-x", cwd).returncode == 0
    finally:
        someone.home.unlink()


def test_sec_087_a_home_that_only_the_user_can_enter_is_entered(someone):
    someone.home.chmod(0o700)
    assert start(someone).ready().run("pwd").strip() == str(someone.home)


@pytest.mark.parametrize("mode", [0o000, 0o600])
def test_life_041_a_home_that_cannot_be_entered_is_left_upwards(someone, mode):
    someone.home.chmod(mode)
    server = start(someone).ready()
    assert server.run("pwd").strip() == str(someone.home.parent)
    assert f"HOME={someone.home}\n" in server.run("env")


def test_sec_046_the_users_pam_environment_changes_nothing_that_root_does(someone):
    library = compile_library("preload")
    for left in Path("/tmp").glob("orrery-preloaded-*"):
        left.unlink()
    (someone.home / ".pam_environment").write_text(
        f"LD_PRELOAD DEFAULT={library}\nPATH DEFAULT=/tmp\nBASH_ENV DEFAULT=/tmp/x\nXDG_SESSION_TYPE DEFAULT=x\nEDITOR DEFAULT=ed\n")
    add_to_service("orrery", "session required pam_env.so user_readenv=1")
    server = start(someone).ready()
    found = server.run("/usr/bin/env")
    # what else the user says to the user's own processes is the user's affair
    assert "LD_PRELOAD" not in found, found
    server.stop()
    assert not Path("/tmp/orrery-preloaded-0").exists()


def test_mkhomedir_makes_a_home_when_the_session_opens():
    who = add_user("newcomer", home=False)
    add_to_service("orrery", "session required pam_mkhomedir.so umask=0077")
    server = start(who, sign_in(who).ticket).ready()
    assert who.home.is_dir() and (who.home.stat().st_uid, who.home.stat().st_mode & 0o777) == (who.uid, 0o700)
    assert server.run("pwd").strip() == str(who.home)
