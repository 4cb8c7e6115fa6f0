"""A server is its user: as after `su - user`, with nothing of root's and nothing of the hub's."""
import os
import pwd
from pathlib import Path

import pytest

import wire
from conftest import add_group, add_user, as_user, pam_service, sh, sign_in, start, wait_for


def as_su(who, command):
    return sh("su", "-", who.name, "-c", command)


def put_into_groups(who, count, first=200_000):
    """As many supplementary groups, written as an operator's tool does: `groupadd` would take minutes."""
    with open("/etc/group", "a") as groups:
        groups.writelines(f"g{who.uid}x{n}:x:{first + n}:{who.name}\n" for n in range(count))


@pytest.fixture(autouse=True)
def groups():
    kept = Path("/etc/group").read_bytes()
    yield
    Path("/etc/group").write_bytes(kept)


@pytest.mark.parametrize("count", [0, 1, 17, 33, 1000, 1023, 1024, 1025])
def test_sec_037_id_in_the_server_is_what_su_gives(someone, count):
    put_into_groups(someone, count)
    server = start(someone, sign_in(someone).ticket).ready()
    assert server.run("id") == as_su(someone, "id")
    assert len(server.run("id", "-G").split()) == count + 1


def test_sec_037_as_many_groups_as_the_kernel_takes(someone):
    # pam_cap reads /etc/group anew for each group: minutes
    pam_service("orrery", "auth required pam_unix.so", "account required pam_unix.so", "session required pam_limits.so")
    put_into_groups(someone, 65_535)
    assert start(someone).ready().run("id", "-G") == as_su(someone, "id -G")


def test_sec_037_a_group_with_fifty_thousand_members(someone):
    with open("/etc/group", "a") as groups:
        groups.write(f"crowd:x:190000:{','.join(f'member{n}' for n in range(50_000))},{someone.name}\n")
    assert start(someone).ready().run("id") == as_su(someone, "id")


def test_sec_037_groups_are_those_of_the_start_not_of_the_login(someone):
    ticket = sign_in(someone).ticket
    group = add_group(someone.name)
    assert group in start(someone, ticket).ready().run("id", "-Gn").split()


def test_sec_060_nothing_of_root_is_left(ada):
    server = start(ada).ready()
    status = dict(line.split(":", 1) for line in server.run("cat", "/proc/self/status").splitlines())
    assert status["Uid"].split() == [str(ada.uid)] * 4
    assert status["Gid"].split() == [str(ada.gid)] * 4
    assert sorted(map(int, status["Groups"].split())) == ada.groups()
    assert [int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [0] * 4
    assert status["NoNewPrivs"].strip() == "1"
    assert server.try_run("setpriv", "--reuid=0", "true")["status"] != 0


def test_no_new_privs_is_left_to_the_policy(ada, policy):
    policy(no_new_privs="no")
    server = start(ada).ready()
    assert "NoNewPrivs:\t0" in server.run("cat", "/proc/self/status")


def test_sec_071_a_server_has_no_descriptors_of_ours(ada):
    server = start(ada).ready()
    names = {fd: os.readlink(f"/proc/{server.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{server.pid}/fd")}
    own = {fd: name for fd, name in names.items() if fd in "012"}
    others = {fd: name for fd, name in names.items() if fd not in "012"}
    assert own["0"] == "/dev/null" and len(own) == 3, names
    # the probe's own: where it listens, and the connection that asked
    assert len(others) <= 2 and all(name.startswith("socket:") for name in others.values()), names


def test_sec_068_a_server_leads_a_session_without_a_terminal(ada):
    server = start(ada).ready()
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    assert fields[3] == str(server.pid) and fields[4] == "0"


def test_the_environment_is_policy_account_and_what_the_hub_may_say(ada):
    variables = [("JUPYTERHUB_API_TOKEN", "secret"), ("LANG", "C.UTF-8")]
    server = start(ada, environment=variables).ready()
    found = dict(line.split("=", 1) for line in server.run("env", "-0").split("\0") if line)
    assert found["JUPYTERHUB_API_TOKEN"] == "secret"
    assert (found["USER"], found["HOME"], found["SHELL"], found["LOGNAME"]) == ("ada", str(ada.home), "/bin/bash", "ada")
    assert found["JUPYTERHUB_SERVICE_URL"].startswith("http+unix://%2Frun%2Forrery-launch%2Fservers%2F")
    assert found["JUPYTERHUB_SERVICE_URL"].endswith("/user/x/")
    unknown = set(found) - {"JUPYTERHUB_API_TOKEN", "LANG", "USER", "HOME", "SHELL", "LOGNAME", "JUPYTERHUB_SERVICE_URL", "PATH",
                            "MAIL", "LC_CTYPE", "XDG_RUNTIME_DIR", "XDG_SESSION_ID"}
    assert not unknown, unknown
    assert server.run("pwd").strip() == str(ada.home)


def test_sec_072_the_umask_is_asked_for_or_the_usual_one(ada):
    assert start(ada).ready().run("sh", "-c", "umask").strip() in ("0022", "0077", "0002")
    assert start(ada, umask=0o027).ready().run("sh", "-c", "umask").strip() == "0027"


def test_pam_limits_apply(ada):
    limits = Path("/etc/security/limits.d/orrery-test.conf")
    limits.write_text("ada soft nofile 222\nada hard nofile 333\nada hard nproc 4321\nada hard core 0\n")
    try:
        server = start(ada).ready()
        for option in ("-Sn", "-Hn", "-Hu", "-Hc"):
            assert server.run("bash", "-c", f"ulimit {option}") == as_su(ada, f"ulimit {option}"), option
        assert server.run("bash", "-c", "ulimit -Sn").strip() == "222"
    finally:
        limits.unlink()


def test_sec_048_a_session_is_open_as_long_as_its_server(ada, sessions):
    server = start(ada).ready()
    assert sessions.lines() == ["open_session ada orrery"]
    server.stop()
    wait_for(lambda: sessions.lines() == ["open_session ada orrery", "close_session ada orrery"], sessions.lines)


def test_sec_048_a_session_is_closed_when_the_server_crashes(ada, sessions):
    server = start(ada).ready()
    os.kill(server.pid, 9)
    assert server.wait().signal == 9
    wait_for(lambda: sessions.lines()[-1:] == ["close_session ada orrery"], sessions.lines)


def test_sec_048_a_module_that_fails_denies_that_start_only(ada, grace):
    from conftest import add_to_service, ask, ticket_for
    add_to_service("orrery", "session required pam_succeed_if.so quiet user != ada")
    reply = ask(wire.Start(ada.uid, ticket_for(ada), "denied"))
    assert isinstance(reply, wire.NotStarted) and reply.reason == "PamSession", reply
    assert not ada.processes()
    start(grace).ready()


def test_sec_048_the_loginuid_is_the_users(ada):
    if not Path("/proc/self/loginuid").exists():
        pytest.skip("this kernel keeps no loginuid")
    loginuid = Path(f"/proc/{start(ada).ready().pid}/loginuid").read_text()
    assert loginuid == str(ada.uid)


def test_sec_052_a_group_that_pam_grants_is_there(ada):
    from conftest import add_to_service
    group = add_group()
    Path("/etc/security/group.conf").write_text(f"*;*;ada;Al0000-2400;{group}\n")
    add_to_service("orrery", "auth optional pam_group.so", first=True)
    assert group in start(ada).ready().run("id", "-Gn").split()


@pytest.mark.parametrize("name", ["Ada.Lovelace", "a_b-c.d", "u$", "user@realm", "a" * 32, "0x1", "ümlaut"])
def test_names_with_odd_characters(name):
    who = add_user(name, "--badname") if name not in [found.pw_name for found in pwd.getpwall()] else as_user(name)
    accepted = sign_in(who)
    assert (accepted.name, accepted.uid) == (name, who.uid)
    assert start(who, accepted.ticket).ready().run("id") == as_su(who, "id")


def test_sec_035_a_name_with_slashes_names_no_file(ada):
    uid = 7001
    for path, line in (("/etc/passwd", f"../../etc/x:x:{uid}:{ada.gid}::/run/home/ada:/bin/sh"), ("/etc/shadow", "../../etc/x:*:1::::::")):
        with open(path, "a") as file:
            file.write(line + "\n")
    before = {path for path in Path("/etc").iterdir()}
    server = start(as_user("../../etc/x")).ready()
    assert server.run("id", "-u").strip() == str(uid)
    assert {path for path in Path("/etc").iterdir()} == before
    assert f"/{uid}/" in server.socket and f"/{uid}/" in server.log
