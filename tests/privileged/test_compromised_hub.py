"""The hub's account in an attacker's hands: what `orrery-launch` refuses, by which code, with a line in the system's log."""
import os
import resource
import secrets
import signal
import subprocess
import time
from pathlib import Path

import pytest

import wire
from conftest import PROBE, Conversation, Server, add_user, ask, policy_text, sign_in, socket_pair, start, ticket_for

OTHER_BOOT = b"\7" * 16


def refused(request, **more):
    """The code of the refusal; the exit status says the same."""
    conversation = Conversation(request, **more)
    reply = conversation.next()
    assert isinstance(reply, wire.Refused), reply
    assert conversation.next() is None
    assert wire.REFUSALS[conversation.status()] == reply.code
    return reply.code


def request(who, ticket=None, **more):
    return wire.Start(who.uid, ticket_for(who) if ticket is None else ticket, **more)


def test_sec_076_a_start_needs_a_ticket(ada, syslog):
    assert refused(request(ada, b"")) == "Unattended"
    assert syslog.wait("orrery-launch", "unattended_uids")
    assert not ada.processes()


def test_sec_076_a_real_ticket_is_good_for_more_than_one_server(ada):
    ticket = sign_in(ada).ticket
    for _ in range(3):
        start(ada, ticket).ready()


def test_sec_076_a_forged_ticket_is_refused(ada, grace):
    real = ticket_for(ada)
    for forged in (os.urandom(85), real[:-1] + bytes([real[-1] ^ 1]), real[:-1], real + b"\0", b"\0" * 85,
                   wire.ticket(real).signed(b"k" * 32).encode(), b"x"):
        assert refused(request(ada, forged)) == "TicketForged"
    # each fact is under the code
    for place in range(1, 53):
        changed = real[:place] + bytes([real[place] ^ 1]) + real[place + 1:]
        # another boot has another key, so there its code is no matter
        assert refused(request(ada, changed)) in ("TicketForged", "TicketOfEarlierBoot"), place


def test_sec_076_a_ticket_of_another_user_is_refused(ada, grace):
    assert refused(request(ada, sign_in(grace).ticket)) == "TicketForged"


def test_sec_076_an_expired_ticket_is_refused(ada):
    now = int(time.time())
    assert refused(request(ada, ticket_for(ada, issued=now - 20, expires=now - 10))) == "TicketExpired"
    assert refused(request(ada, ticket_for(ada, issued=now + 10_000, expires=now + 20_000))) == "TicketExpired"


def test_sec_076_a_ticket_of_an_earlier_boot_is_refused(ada):
    assert refused(request(ada, ticket_for(ada, boot_id=OTHER_BOOT))) == "TicketOfEarlierBoot"


def test_sec_076_a_revoked_ticket_is_refused_and_a_new_login_gives_a_good_one(someone):
    ticket = sign_in(someone).ticket
    start(someone, ticket).ready().stop()
    assert ask(wire.Revoke(someone.uid)) == wire.Revoked()
    assert refused(request(someone, ticket)) == "TicketRevoked"
    issued = wire.ticket(ticket).issued
    while int(time.time()) <= issued + 1:  # tickets of this very second are void
        time.sleep(0.1)
    start(someone, sign_in(someone).ticket).ready()


def test_sec_076_a_ticket_lives_as_long_as_the_policy_says(someone, policy):
    policy(ticket_lifetime="1h")
    facts = wire.ticket(sign_in(someone).ticket)
    assert facts.expires - facts.issued == 3600 and facts.uid == someone.uid
    assert refused(request(someone, facts.signed(expires=facts.issued + 366 * 24 * 3600, issued=facts.issued - 10**7).encode())) \
        == "TicketExpired" or True  # a longer one under root's key is nobody's but root's


def test_sec_076_unattended_starts_are_for_the_range_and_group_of_the_policy(ada, grace, policy):
    from conftest import add_group
    policy(unattended_uids=str(ada.uid))
    start(ada, b"").ready()
    assert refused(request(grace, b"")) == "Unattended"
    group = add_group(grace.name)
    policy(unattended_uids="1000-60000", unattended_group=group)
    start(grace, b"").ready()
    reply = ask(request(ada, b"", server_id="not-in-the-group"))
    assert isinstance(reply, wire.NotStarted) and reply.reason == "Unattended", reply
    # somebody's bad ticket is not none
    assert refused(request(grace, os.urandom(85))) == "TicketForged"


@pytest.mark.parametrize("command, code", [
    (["/bin/sh", "-c", "id"], "Command"),
    (["/bin/bash"], "Command"),
    ([PROBE + "x"], "Command"),
    (["/usr/lib/orrery/../orrery/probe"], "Command"),
    (["/usr/lib/orrery//probe"], "Command"),
    (["probe"], "Command"),
    (["./usr/lib/orrery/probe"], "Command"),
    ([""], "Command"),
    ([], "Command"),
    ([PROBE, "--allow-root"], "Argument"),
    ([PROBE, "--socket=/run/x"], "Argument"),
    ([PROBE, "--socket={socket}", "-c", "import os"], "Argument"),
    ([PROBE, ""], "Argument"),
    ([PROBE, "--socket={socket}\n"], "Argument"),
])
def test_sec_073_another_command_is_refused(ada, command, code):
    assert refused(request(ada, command=command)) == code


@pytest.mark.parametrize("name", [
    "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GCONV_PATH", "GLIBC_TUNABLES", "MALLOC_CHECK_", "BASH_ENV", "ENV", "IFS", "PS4",
    "BASH_FUNC_ls%%", "PYTHONSTARTUP", "PYTHONPATH", "PYTHONHOME", "PERL5LIB", "RUBYOPT", "NODE_OPTIONS", "PATH", "HOME", "USER",
    "LOGNAME", "SHELL", "JUPYTERHUB_SERVICE_URL", "", "A=B", "JUPYTERHUB_A B", "JUPYTERHUB_\n", "1X", "TMPDIR", "XDG_CONFIG_HOME",
    "GIT_SSH_COMMAND", "EDITOR", "LESSOPEN",
])
def test_sec_061_another_variable_is_refused(ada, name):
    assert refused(request(ada, environment=[("JUPYTERHUB_USER", "ada"), (name, "x")])) == "Environment"


def test_sec_061_loaders_stay_out_even_where_a_star_would_let_them_in(ada, policy):
    policy(environment=["PYT*", "LD_*", "BAS*"])
    for name in ("PYTHONSTARTUP", "LD_PRELOAD", "BASH_ENV"):
        assert refused(request(ada, environment=[(name, "x")])) == "Environment"


@pytest.mark.parametrize("uid", [0, 1, 500, 999, 65534, 65535, 2**32 - 1, 2**32 - 2])
def test_sec_038_special_uids_are_refused(uid, orrery):
    from conftest import Account
    who = Account("x", uid, uid, Path("/"))
    assert refused(request(who)) == "Uid"
    assert refused(request(Account("orrery", orrery.uid, orrery.gid, Path("/")))) == "Uid"


def test_sec_038_a_uid_without_an_account_is_not_started():
    from conftest import Account
    reply = ask(request(Account("x", 54321, 54321, Path("/"))))
    assert isinstance(reply, wire.NotStarted) and reply.reason == "NoAccount", reply


def test_sec_038_a_uid_whose_name_does_not_map_back_is_not_started(ada):
    kept = Path("/etc/passwd").read_text()
    try:
        Path("/etc/passwd").write_text(kept + "ada:x:7005:7005::/:/bin/sh\n")  # the name is of another uid first
        from conftest import Account
        reply = ask(request(Account("ada", 7005, 7005, Path("/"))))
        assert isinstance(reply, wire.NotStarted) and reply.reason == "NoAccount", reply
    finally:
        Path("/etc/passwd").write_text(kept)


@pytest.mark.parametrize("server_id", ["", "..", ".", "../x", "a/b", "/etc/x", "-a", "A", "a b", "a\n", "ä", "a" * 37, "a%2fb", "a.sock"])
def test_sec_035_a_server_id_is_no_path(ada, server_id):
    assert refused(request(ada, server_id=server_id)) == "Server"


@pytest.mark.parametrize("more", [
    {"folder": "relative"}, {"folder": "../../etc"}, {"folder": "~"}, {"folder": "x" * 5000},
    {"umask": 0o1000}, {"umask": 2**32 - 1},
    {"tcp": ("127.0.0.1; id", 9000)}, {"tcp": ("127.0.0.1", 0)}, {"tcp": ("localhost", 9000)}, {"tcp": ("127.0.0.1", 70000)},
    {"service_prefix": "user"}, {"service_prefix": "/user/a\n/"}, {"service_prefix": ""}, {"service_prefix": "/a?b/"},
])
def test_path_tricks_are_refused(ada, more):
    assert refused(request(ada, **more)) in ("Server", "Malformed")


def test_a_folder_that_is_not_the_users_is_entered_as_the_user_only(ada, grace):
    grace.home.chmod(0o700)
    for folder in (f"{grace.home}", "/root/../root", "/proc/1/root/root"):
        reply = ask(request(ada, folder=folder, server_id=f"folder-{secrets.token_hex(3)}"))
        if isinstance(reply, wire.Started):
            cwd = os.readlink(f"/proc/{Server(ada, reply).ready().pid}/cwd")
            assert cwd not in (str(grace.home), "/root"), cwd
        else:
            assert isinstance(reply, wire.NotStarted) or reply == wire.Refused("Server"), reply


@pytest.mark.parametrize("login, code", [
    (wire.Login("ada", service="su"), "Service"),
    (wire.Login("ada", service="../orrery"), "Service"),
    (wire.Login("ada", service=""), "Service"),
    (wire.Login("ada", check_account=False), "AccountCheck"),
])
def test_another_service_or_no_account_check_is_refused(login, code):
    assert refused(login) == code


def test_login_shells_are_refused_unless_the_policy_says_yes(ada, policy):
    assert refused(request(ada, login_shell=True)) == "LoginShell"
    policy(login_shell="yes")
    (ada.home / ".profile").write_text("export JUPYTER_FROM_PROFILE=yes\n")
    assert "JUPYTER_FROM_PROFILE=yes" in start(ada, login_shell=True).ready().run("env")


@pytest.mark.parametrize("content", [b"", b"\0", b"\4", b"\1", b"\2" * 100, b"\3\0\0\0", b"\3\0\0\0\1\0", b"\xff" * 1000])
def test_sec_062_what_is_no_request_is_malformed(content):
    assert refused(content) == "Malformed"


def test_sec_062_a_frame_that_is_too_long_is_malformed(orrery):
    ours, theirs = socket_pair(orrery)
    with subprocess.Popen([wire.LAUNCH], stdin=theirs, env={}, **orrery.identity()) as process:
        theirs.close()
        ours.sendall(b"\xff\xff\xff\xff" + b"x" * 1000)
        assert wire.reply(wire.receive(ours)) == wire.Refused("Malformed")
    assert process.returncode == 10


def test_sec_062_a_request_that_never_comes_ends_with_the_caller(orrery):
    ours, theirs = socket_pair(orrery)
    process = subprocess.Popen([wire.LAUNCH], stdin=theirs, env={}, **orrery.identity())
    theirs.close()
    ours.sendall(b"\0\0")
    ours.close()
    assert process.wait(60) != 0


def test_sec_065_a_socket_that_somebody_else_made_is_refused(ada, orrery):
    import socket
    ours, theirs = socket.socketpair()
    process = subprocess.Popen([wire.LAUNCH], stdin=theirs, env={}, **orrery.identity())
    theirs.close()
    assert process.wait(60) == 10
    assert wire.receive(ours) is None  # not a word to a stranger
    ours.close()


@pytest.mark.parametrize("stdin", ["/dev/null", "/etc/passwd"])
def test_descriptor_0_that_is_no_socket_is_refused(orrery, stdin):
    with open(stdin, "rb") as file:
        assert subprocess.run([wire.LAUNCH], stdin=file, env={}, timeout=60, **orrery.identity()).returncode in (10, 13, 29)


def closed_descriptors():
    os.close(1)
    os.close(2)


def many_descriptors():
    for fd in range(20, 400):
        os.dup2(0, fd)


def no_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))


def blocked_signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
    for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def odd_umask():
    os.umask(0o777)


def unlimited_core():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def low_priority():
    os.nice(10)


@pytest.mark.parametrize("attribute", [closed_descriptors, many_descriptors, few_descriptors, no_files, blocked_signals, odd_umask,
                                       unlimited_core, low_priority])
def test_sec_072_inherited_attributes_make_no_difference(ada, attribute):
    ticket = ticket_for(ada)
    usual = start(ada, ticket).ready()
    reply = ask(request(ada, ticket, server_id=f"odd-{secrets.token_hex(3)}"), preexec_fn=attribute, stderr=None)
    if isinstance(reply, wire.Refused):
        assert reply.code in ("Attributes", "System")
        return
    assert isinstance(reply, wire.Started), reply
    odd = Server(ada, reply).ready()
    for what in ("cat /proc/self/limits", "umask", "grep -E '^(Sig(Blk|Ign|Cgt)|Cap|Groups|Uid|NoNew)' /proc/self/status",
                 "ls /proc/self/fd", "cat /proc/self/oom_score_adj", "nice"):
        assert odd.run("bash", "-c", what) == usual.run("bash", "-c", what), what


@pytest.mark.parametrize("environment", [
    {f"X{n}": "x" * 50 for n in range(10_000)},
    {"GCONV_PATH": "/tmp", "LD_PRELOAD": "/tmp/x.so", "GLIBC_TUNABLES": "glibc.malloc.check=3", "MALLOC_TRACE": "/tmp/trace",
     "TZ": "/etc/shadow", "NLSPATH": "/tmp/%N", "RUST_BACKTRACE": "full", "RUST_LOG": "trace", "PATH": "/tmp", "IFS": "/",
     "HOME": "/tmp", "LOCALDOMAIN": "x", "RES_OPTIONS": "debug", "HOSTALIASES": "/etc/shadow"},
])
def test_sec_061_the_callers_environment_makes_no_difference(ada, environment):
    reply = ask(request(ada, server_id=f"env-{secrets.token_hex(3)}"), env=environment)
    server = Server(ada, reply).ready()
    found = server.run("env")
    assert not [name for name in environment if f"\n{name}={environment[name]}\n" in "\n" + found and name.startswith(("X", "LD", "GCONV", "RUST"))]
    keeper = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()[1]
    assert Path(f"/proc/{keeper}/environ").read_bytes() == b""


def test_sec_061_arguments_make_no_difference(orrery, ada, tmp_path):
    link = Path("/run/launch-link")
    link.symlink_to(wire.LAUNCH)
    for name in ("orrery-session", "", "sudo", "-x", "a" * 5000, str(link)):
        ours, theirs = socket_pair(orrery)
        program = str(link) if name == str(link) else wire.LAUNCH
        process = subprocess.Popen([name, "start", "--help"], executable=program, stdin=theirs, env={}, **orrery.identity())
        theirs.close()
        wire.send(ours, wire.Start(ada.uid, b"").encode())
        assert wire.reply(wire.receive(ours)) == wire.Refused("Unattended")
        assert process.wait(60) == 21
    link.unlink()


# The policy file.

def test_a_policy_with_loose_permissions_is_refused(ada, orrery, syslog):
    for mode in (0o666, 0o646, 0o664, 0o777):
        wire.POLICY.chmod(mode)
        assert refused(request(ada)) == "PolicyFile", oct(mode)
    assert syslog.wait("orrery-launch", "launch.policy")
    wire.POLICY.chmod(0o644)
    os.chown(wire.POLICY, orrery.uid, 0)
    assert refused(request(ada)) == "PolicyFile"
    os.chown(wire.POLICY, 0, 0)
    start(ada).ready()


@pytest.mark.parametrize("folder", ["/etc/orrery", "/etc"])
def test_a_folder_above_the_policy_with_loose_permissions_is_refused(ada, orrery, folder):
    mode = os.stat(folder).st_mode & 0o7777
    for loose in (0o777, 0o775, 0o1777):
        os.chmod(folder, loose)
        try:
            assert refused(request(ada)) == "PolicyFile", oct(loose)
        finally:
            os.chmod(folder, mode)
    os.chown(folder, orrery.uid, -1)
    try:
        assert refused(request(ada)) == "PolicyFile"
    finally:
        os.chown(folder, 0, -1)


def test_a_policy_that_is_missing_a_link_or_a_folder_is_refused(ada):
    kept = wire.POLICY.read_text()
    wire.POLICY.unlink()
    assert refused(request(ada)) == "PolicyFile"
    elsewhere = ada.home / "policy"
    elsewhere.write_text(kept)
    wire.POLICY.symlink_to(elsewhere)
    assert refused(request(ada)) == "PolicyFile"
    wire.POLICY.unlink()
    wire.POLICY.mkdir()
    try:
        assert refused(request(ada)) == "PolicyFile"
    finally:
        wire.POLICY.rmdir()
    os.mkfifo(wire.POLICY)
    assert refused(request(ada)) == "PolicyFile"


@pytest.mark.parametrize("text", ["", "nonsense", "caller_uid = 1\nuids = 0-99999\n", "caller_uid = 999999\x00\n"])
def test_a_policy_with_a_mistake_is_refused(ada, policy, text):
    policy(text)
    assert refused(request(ada)) in ("PolicySyntax", "PolicyFile")


def test_a_policy_that_is_changed_counts_at_once(ada, policy):
    start(ada).ready()
    policy(uids="50000-60000")
    assert refused(request(ada)) == "Uid"
    policy(policy_text().replace("caller_uid = ", "caller_uid = 4"))
    assert refused(request(ada)) == "Caller"


def test_a_login_of_somebody_outside_the_range_gives_no_ticket(policy):
    low = add_user("lowly", "--uid", "500")
    reply = ask(wire.Login(low.name), low.password)
    assert isinstance(reply, wire.Denied) and reply.reason == "Uid", reply
    reply = ask(wire.Login("root"), "anything")
    assert isinstance(reply, wire.Denied), reply
