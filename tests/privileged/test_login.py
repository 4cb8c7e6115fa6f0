"""Logins: whose ticket it is, what bounds them, and what is left when one is cut short. test_accounts.py has the answers of
PAM for accounts of all kinds."""
import concurrent.futures
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

import wire
from conftest import (Conversation, account, add_to_service, add_user, ask, compile_library, pam_service, sh, sign_in, small_disk,
                      wait_for)
from test_accounts import PERMIT, denied, login_processes
from test_identity import groups, put_into_groups  # noqa: F401  (the first is a fixture)


def seen_by_modules(command):
    """What a program sees that a PAM module starts as root."""
    result = Path("/run/.upper/seen")
    result.unlink(missing_ok=True)
    script = Path("/run/.upper/look")
    script.write_text(f"#!/bin/sh\n{{ {command}; }} >{result} 2>&1\n")
    script.chmod(0o700)
    pam_service("orrery", f"auth optional pam_exec.so {script}", "auth required pam_unix.so", *PERMIT[1:])
    return result


# Whose ticket it is.

def test_sec_038_a_uid_that_the_policy_excludes_is_told_after_the_right_password_only(ada, policy):
    policy(uids="5000-6000")
    reply = denied(ada)
    assert reply.reason == "Uid" and "launch.policy: uids" in reply.text
    assert denied(ada, "wrong").reason == "Credentials"


def test_sec_038_nobody_learns_whether_roots_password_was_right(policy):
    policy(uids="1-4294967295")
    sh("chpasswd", input="root:the root password\n")
    right, wrong = (Conversation(wire.Login("root")).finish(answer) for answer in ("the root password", "wrong"))
    assert right == wrong and right[0].reason == "Credentials", (right, wrong)


@pytest.mark.parametrize("name, uid", [("nearly-nobody", 65535), ("daemon-twin", None)])
def test_sec_038_special_uids_and_the_daemons_own_have_no_ticket(policy, orrery, name, uid):
    policy(uids="1-4294967295")
    who = add_user(name, "--non-unique", "--uid", str(orrery.uid if uid is None else uid))
    assert denied(who).reason in ("Uid", "NoAccount")


def test_sec_038_two_names_of_one_uid_are_nobody(someone):
    twin = add_user(f"{someone.name}twin", "--non-unique", "--uid", str(someone.uid))
    assert denied(twin).reason == "NoAccount"
    assert sign_in(someone).name == someone.name


@pytest.mark.parametrize("name, reason", [("no-such-user", "NoAccount"), ("root", "Credentials"), ("daemon", "Uid"), ("", None)])
def test_sec_041_a_module_that_makes_somebody_else_of_a_user_gains_nothing(ada, name, reason):
    library = compile_library("rename_user")
    pam_service("orrery", f"auth required {library} {name}", *PERMIT[1:])
    reply = denied(ada)
    assert reason is None or reply.reason == reason, reply


def test_sec_041_a_user_that_changes_after_the_account_was_checked_is_refused(ada, grace):
    pam_service("orrery", "auth required pam_unix.so", f"account required {compile_library('rename_late')} {grace.name}",
                *PERMIT[1:])
    assert denied(ada).reason == "System"


@pytest.mark.parametrize("name", ["Ada.Lovelace", "a_b-c.d", "u$", "user@realm", "a" * 32, "0x1", "ümlaut", "42"])
def test_sec_032_odd_names_are_who_the_name_service_says(name):
    who = add_user(name, "--badname") if name not in {line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()} \
        else account(name, password="correct horse")
    accepted = sign_in(who)
    assert (accepted.name, accepted.uid, wire.ticket(accepted.ticket).uid) == (name, who.uid, who.uid)


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a/../b", "-rf", "+x", " ada", "ada ", "x" * 255, "x" * 100_000, "\u202eada", "%s%n", "$(id)"])
def test_sec_030_names_that_are_none_are_denied_like_any_other(ada, name):
    reply, said = Conversation(wire.Login(name)).finish(ada.password)
    if isinstance(reply, wire.Refused):
        assert reply.code == "Malformed", reply
    else:
        assert isinstance(reply, wire.Denied) and reply.reason == "Credentials", reply
        assert said == [wire.Prompt(False, "Password: ")]


@pytest.mark.parametrize("count", [1000, 65_535])
def test_sec_037_all_groups_are_told(someone, count):
    put_into_groups(someone, count)
    # without pam_cap, which Debian's common-auth has: it reads /etc/group once for each group
    pam_service("orrery", "auth required pam_unix.so", *PERMIT[1:])
    accepted = sign_in(someone)
    assert len(accepted.groups) == count + 1 and sorted(accepted.groups) == someone.groups()


def test_sec_037_a_group_with_50000_members_is_one_of_them(someone):
    with open("/etc/group", "a") as file:
        file.write(f"crowd:x:300000:{','.join(f'member{n}' for n in range(50_000))},{someone.name}\n")
    assert 300_000 in sign_in(someone).groups


def test_a_long_entry_in_the_name_service_is_read_whole():
    who = add_user("wordy")
    sh("sed", "-i", f"s|^wordy:\\(.*\\):[^:]*:/run/home|wordy:\\1:{'x' * 30_000}:/run/home|", "/etc/passwd")
    assert sign_in(who).uid == who.uid


# Account management.

def test_sec_040_what_stands_behind_an_expired_password_is_asked_after_its_change(someone):
    """Debian's common-account ends with a password that must be changed: modules behind it have not been asked yet."""
    add_to_service("orrery", f"account requisite pam_succeed_if.so quiet user != {someone.name}")
    sh("chage", "--lastday", "0", someone.name)
    new = "an entirely new Passphrase 7"
    reply, _ = Conversation(wire.Login(someone.name)).finish(someone.password, someone.password, new, new)
    assert isinstance(reply, wire.Denied) and reply.reason == "NotPermitted", reply


def test_sec_040_a_password_that_has_expired_for_too_long_is_told(someone):
    sh("chage", "--lastday", "2020-01-01", "--maxdays", "10", "--inactive", "10", someone.name)
    reply = denied(someone)
    assert reply.reason == "PasswordExpired" and "expired" in reply.text, reply


def test_sec_040_an_expired_account_is_told_in_words(someone):
    sh("usermod", "--expiredate", "2020-01-01", someone.name)
    reply = denied(someone)
    assert (reply.reason, reply.text) == ("AccountExpired", "The account has expired")


def test_auth_022_account_management_is_left_out_only_where_the_policy_says_so(someone, policy):
    sh("usermod", "--expiredate", "2020-01-01", someone.name)
    assert ask(wire.Login(someone.name, check_account=False)) == wire.Refused("AccountCheck")
    policy(skip_account_check="yes")
    assert sign_in(someone, check_account=False).uid == someone.uid
    assert denied(someone).reason == "AccountExpired"


def test_auth_023_two_factors_are_asked_in_order(ada):
    """The first must be right before the second counts; neither answers for the other."""
    pam_service("orrery", "auth required pam_unix.so", f"auth required {compile_library('three_prompts')}", *PERMIT[1:])
    assert sign_in(ada, ada.password, "one", "green", "three").uid == ada.uid
    for answers in ((ada.password, "one", "green", "wrong"), ("wrong", "one", "green", "three"), ("one", ada.password, "green", "three")):
        assert denied(ada, *answers).reason == "Credentials", answers


def test_a_password_that_is_empty_is_none_though_the_stack_allows_it(someone):
    sh("passwd", "--delete", someone.name)
    assert denied(someone, "").reason == "Credentials"


# Bounds.

@pytest.mark.parametrize("phase", ["auth", "account", "setcred"])
def test_sec_050_a_module_that_ignores_everything_is_killed_at_the_deadline(ada, policy, phase):
    policy(login_timeout="2s")
    library = compile_library("stubborn")
    pam_service("orrery", "auth required pam_unix.so", f"auth required {library} {phase}", f"account required {library} {phase}")
    conversation = Conversation(wire.Login("ada"))
    assert conversation.result(ada.password) is None
    assert conversation.status() == -signal.SIGKILL


def test_sec_050_a_hung_module_holds_up_nobody_else(ada, grace):
    library = compile_library("stubborn")
    pam_service("orrery", "auth [success=1 default=ignore] pam_succeed_if.so quiet user != ada", f"auth required {library} auth",
                "auth required pam_unix.so", *PERMIT[1:])
    hung = Conversation(wire.Login("ada"))
    sign_in(grace)
    assert hung.process.poll() is None
    hung.process.kill()


def test_a_conversation_nobody_answers_is_told_that_it_took_too_long(ada, policy):
    policy(login_timeout="1s")
    reply, said = Conversation(wire.Login("ada")).next(), None
    assert isinstance(reply, wire.Prompt)
    conversation = Conversation(wire.Login("ada"))
    conversation.next()
    assert conversation.next() == wire.Denied("Conversation", "signing in took too long"), said


def test_sec_042_endless_prompts_end_with_a_reason(ada):
    pam_service("orrery", f"auth required {compile_library('endless_prompts')}", *PERMIT[1:])
    reply, said = Conversation(wire.Login("ada")).finish(*["again"] * 10_000)
    assert reply == wire.Denied("Conversation", "too many questions were asked") and len(said) == 32


def test_sec_044_a_password_beyond_1024_bytes_is_a_wrong_one(ada):
    assert denied(ada, "x" * 1025).reason == "Credentials"
    assert denied(ada, "x" * 1024).reason == "Credentials"


@pytest.mark.parametrize("content", [b"", b"\1", b"\2\0\0\0\1x", b"\1\0\0\0\2x", b"\1\xff\xff\xff\xff", b"\1\0\0\0\1xy"])
def test_sec_062_an_answer_that_is_none_ends_it(ada, content):
    conversation = Conversation(wire.Login("ada"))
    assert isinstance(conversation.next(), wire.Prompt)
    wire.send(conversation.socket, content)
    assert conversation.next() == wire.Denied("Conversation", "an answer was malformed")


def test_sec_049_signals_disturb_no_login(ada):
    """Those that anybody's death or a terminal could cause; to others it ends, and nothing runs on."""
    conversation = Conversation(wire.Login("ada"))
    assert isinstance(conversation.next(), wire.Prompt)
    for number in [signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGCONT, signal.SIGPIPE] * 200:
        conversation.process.send_signal(number)
    conversation.answer(ada.password)
    assert conversation.result().uid == ada.uid
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGALRM, signal.SIGINT):
        conversation = Conversation(wire.Login("ada"))
        assert isinstance(conversation.next(), wire.Prompt)
        conversation.process.send_signal(number)
        assert conversation.next() is None and conversation.status() == -number


# What modules and others see.

def test_sec_071_modules_have_neither_the_channel_nor_an_environment(ada):
    result = seen_by_modules("ls -l /proc/$PPID/fd; echo; readlink /proc/self/fd/0; tr '\\0' '\\n' </proc/$PPID/environ; tr '\\0' ' ' </proc/$PPID/cmdline")
    sign_in(ada)
    text = result.read_text()
    # in the parent: 0 to 2 are /dev/null; the channel is above them and closed on exec
    for number in (0, 1, 2):
        assert f" {number} -> /dev/null" in text, text
    assert text.rstrip().endswith("orrery-session login"), text
    assert "orrery-session login" in text and ada.password not in text
    result = seen_by_modules("ls -l /proc/self/fd")
    sign_in(ada)
    assert "socket:" not in result.read_text(), result.read_text()


def test_the_visitors_address_is_pams_rhost_if_it_is_one(ada):
    for given, told in (("2001:db8::1", "2001:db8::1"), ("192.0.2.9", "192.0.2.9"), ("", "")):
        result = seen_by_modules("echo [$PAM_RHOST] [$PAM_USER] [$PAM_SERVICE]")
        sign_in(ada, remote_host=given)
        assert result.read_text().strip() == f"[{told}] [ada] [orrery]"
    assert ask(wire.Login("ada", remote_host="evil name")) == wire.Refused("Malformed")


def test_sec_051_nobody_can_look_into_a_login(ada, grace, orrery):
    conversation = Conversation(wire.Login("ada"))
    assert isinstance(conversation.next(), wire.Prompt)
    pid = conversation.process.pid
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert [line.split()[4] for line in limits.splitlines() if line.startswith("Max core")] == ["0"]
    for who in (ada, grace, orrery):
        for name in ("mem", "environ", "maps", "fd", "stack"):
            assert who.run("cat", f"/proc/{pid}/{name}").returncode != 0, (who.name, name)
        assert who.run("kill", "-9", str(pid)).returncode != 0
    conversation.answer(ada.password)
    assert conversation.result().uid == ada.uid


def test_sec_012_no_password_in_a_log_or_a_command_line(ada, syslog):
    conversation = Conversation(wire.Login("ada"))
    conversation.next()
    conversation.answer("a most secret wrong word")
    cmdline = Path(f"/proc/{conversation.process.pid}/cmdline").read_bytes()
    assert conversation.result().reason == "Credentials"
    assert syslog.wait("Failed login for ada from 192.0.2.1: ")
    assert b"secret" not in cmdline and not syslog.find("secret")


def test_sec_013_a_name_cannot_forge_a_line(ada, syslog):
    denied(account("ada", password="x"), "x")
    ask(wire.Login("x from 9.9.9.9: y", remote_host="198.51.100.7"), "x")
    (line,) = syslog.wait("Failed login", "198.51.100.7")
    assert "Failed login for x\\x20from\\x209.9.9.9:\\x20y from 198.51.100.7: " in line
    for name in ("ada\nFailed login for grace", "y" * 50_000):
        assert ask(wire.Login(name)) == wire.Refused("Malformed")
    ask(wire.Login("y" * 255), "x")
    assert all(len(line) < 512 for line in syslog.find("Failed login"))


def test_a_login_that_is_given_up_is_not_a_failed_one(ada, syslog):
    conversation = Conversation(wire.Login("ada"))
    conversation.next()
    conversation.close()
    assert syslog.wait("Unfinished login for ada from 192.0.2.1")
    assert not syslog.find("Failed login")


# The key.

def no_key():
    for path in wire.RUNTIME.glob("ticket.key*"):
        path.unlink()


def test_sec_110_the_key_is_made_once_by_whoever_comes_first(ada, grace):
    no_key()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        conversations = [Conversation(wire.Login(who.name)) for who in (ada, grace) * 5]
        replies = list(pool.map(lambda one: one.result("correct horse"), conversations))
    tickets = [wire.ticket(reply.ticket) for reply in replies]
    assert all(ticket == ticket.signed() for ticket in tickets)
    assert len({ticket.nonce for ticket in tickets}) == 10
    assert (os.stat(wire.TICKET_KEY).st_mode, os.stat(wire.TICKET_KEY).st_uid, len(wire.TICKET_KEY.read_bytes())) == (0o100600, 0, 32)
    assert list(wire.RUNTIME.glob("ticket.key*")) == [wire.TICKET_KEY]


def test_a_ticket_lasts_as_long_as_the_policy_says(ada, policy):
    policy(ticket_lifetime="2h")
    facts = wire.ticket(sign_in(ada).ticket)
    assert facts.expires - facts.issued == 7200 and abs(facts.issued - time.time()) < 300


@pytest.mark.parametrize("bad", ["readable", "foreign", "short", "link", "folder"])
def test_sec_110_a_key_that_others_may_know_mints_nothing(ada, orrery, bad):
    sign_in(ada)
    key = wire.TICKET_KEY.read_bytes()
    try:
        if bad == "readable":
            wire.TICKET_KEY.chmod(0o640)
        elif bad == "foreign":
            os.chown(wire.TICKET_KEY, orrery.uid, orrery.gid)
        elif bad == "short":
            wire.TICKET_KEY.write_bytes(b"short")
        else:
            wire.TICKET_KEY.unlink()
            if bad == "link":
                Path("/run/.upper/elsewhere").write_bytes(key)
                wire.TICKET_KEY.symlink_to("/run/.upper/elsewhere")
            else:
                wire.TICKET_KEY.mkdir()
        assert denied(ada).reason == "System"
    finally:
        wire.TICKET_KEY.rmdir() if bad == "folder" else wire.TICKET_KEY.unlink()
    sign_in(ada)


def test_the_folder_of_this_boot_is_made_if_it_is_missing(ada):
    kept = wire.RUNTIME.with_name("kept")
    wire.RUNTIME.rename(kept)
    try:
        sign_in(ada)
        assert (os.stat(wire.RUNTIME).st_mode, os.stat(wire.RUNTIME).st_uid, os.stat(wire.RUNTIME).st_gid) == (0o40711, 0, 0)
        sh("rm", "-r", wire.RUNTIME)
        wire.RUNTIME.symlink_to(kept)
        assert denied(ada).reason == "System"
        wire.RUNTIME.unlink()
        wire.RUNTIME.mkdir()
        wire.RUNTIME.chmod(0o777)
        assert denied(ada).reason == "System"
    finally:
        sh("rm", "-rf", wire.RUNTIME)
        kept.rename(wire.RUNTIME)


def test_a_full_disk_is_told_and_leaves_no_half_of_a_key(ada, syslog):
    sign_in(ada)
    with small_disk(wire.RUNTIME):
        reply = denied(ada)
        assert reply.reason == "System" and "not possible at the moment" in reply.text
        assert syslog.wait("Impossible login for ada", "No space left")
        assert not list(wire.RUNTIME.glob("ticket.key*"))
        (wire.RUNTIME / "filler").unlink()
        sign_in(ada)
    sign_in(ada)


@pytest.mark.parametrize("moment", [1, 2, 4, 8, 12, 16, 20, 25, 30, 40, 60, 80, 100, 130, 160, 200, 250, 300, 400, 500, 700, 1000])
def test_a_login_that_is_killed_at_any_moment_leaves_a_whole_key_or_none(ada, moment):
    """SIGKILL at the n-th call after `orrery-session` began: here on descriptors and files, whatever the module does."""
    no_key()
    ours, theirs = socket.socketpair()
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject=!execve:signal=KILL:when={moment}", wire.LAUNCH]
    process = subprocess.Popen(command, stdin=theirs, env={"PATH": "/usr/bin:/bin"}, cwd="/", stderr=subprocess.DEVNULL)
    theirs.close()
    ours.settimeout(120)
    reply = None
    try:
        wire.send(ours, wire.Login("ada").encode())
        while (content := wire.receive(ours)) is not None:
            reply = wire.reply(content)
            if isinstance(reply, wire.Prompt):
                wire.send(ours, wire.answer(ada.password))
    except (OSError, AssertionError):
        pass
    ours.close()
    process.wait(60)
    assert not wire.TICKET_KEY.exists() or len(wire.TICKET_KEY.read_bytes()) == 32
    if isinstance(reply, wire.Accepted):
        ticket = wire.ticket(reply.ticket)
        assert ticket == ticket.signed()
    wait_for(lambda: not login_processes(), "the end of the transaction")
    sign_in(ada)


# Revocation.

def test_sec_024_a_revocation_makes_tickets_void_and_the_next_login_good(ada):
    old = sign_in(ada).ticket
    assert ask(wire.Revoke(ada.uid)) == wire.Revoked()
    path = wire.RUNTIME / "revoked" / str(ada.uid)
    assert (os.stat(path).st_mode, os.stat(path.parent).st_mode) == (0o100600, 0o40700)
    revoked = int(path.read_text())
    assert abs(revoked - time.time()) < 300
    assert ask(wire.Start(ada.uid, old)) == wire.Refused("TicketRevoked")
    new = wire.ticket(sign_in(ada).ticket)
    assert new.issued > revoked >= wire.ticket(old).issued
    reply = ask(wire.Start(ada.uid, new.encode(), server_id="after-revocation"))
    assert not isinstance(reply, wire.Refused), reply
    path.unlink()


def test_a_revocation_of_a_uid_that_is_not_served_is_refused(policy):
    for uid in (0, 1, 65534, 4294967295):
        assert ask(wire.Revoke(uid)) == wire.Refused("Uid")
    assert not (wire.RUNTIME / "revoked" / "0").exists()


def test_a_revocation_that_cannot_be_written_is_not_said_to_be(ada, syslog):
    with small_disk(wire.RUNTIME):
        assert ask(wire.Revoke(ada.uid)) == wire.Refused("System")
        assert syslog.wait("could not be revoked", "No space left")


# What it is called with.

def session(arguments, content, sealed=True, stdin=None, user=None):
    """`orrery-session` itself, as only root can start it: exit status."""
    memory = os.memfd_create("handover", os.MFD_ALLOW_SEALING)
    os.write(memory, content)
    if sealed:
        import fcntl
        fcntl.fcntl(memory, 1033, 1 | 2 | 4 | 8)
    ours, theirs = socket.socketpair()
    line = f"exec -a x {wire.SESSION if user is None else '/run/.session'} {arguments} 3<&{memory}"
    process = subprocess.Popen(["/bin/bash", "-c", line], stdin=theirs if stdin is None else stdin, pass_fds=[memory], cwd="/",
                               env={"LD_PRELOAD": ""}, stderr=subprocess.DEVNULL, **(user.identity() if user else {}))
    theirs.close()
    os.close(memory)
    status = process.wait(60)
    ours.close()
    return status


def test_sec_061_the_argument_chooses_nothing(ada):
    handover = wire.handover(wire.POLICY.read_text(), wire.Revoke(ada.uid).encode(), False)
    for arguments in ("", "login", "start", "revoke now", "''", "-x"):
        assert session(arguments, handover) == 10, arguments
    assert session("revoke", handover) == 0
    (wire.RUNTIME / "revoked" / str(ada.uid)).unlink()


def test_sec_062_only_a_sealed_and_whole_handover_on_a_socket_by_root_is_taken(ada, policy):
    handover = wire.handover(wire.POLICY.read_text(), wire.Revoke(ada.uid).encode(), False)
    assert session("revoke", handover, sealed=False) == 10
    for content in (b"", handover[:-1], handover + b"x", wire.handover("nonsense", wire.Revoke(ada.uid).encode(), False)):
        assert session("revoke", content) == 10
    assert session("revoke", handover, stdin=subprocess.DEVNULL) == 13
    sh("install", "-m", "0755", wire.SESSION, "/run/.session")
    assert session("revoke", handover, user=ada) == 12
    assert not (wire.RUNTIME / "revoked" / str(ada.uid)).exists()


def test_a_service_that_the_policy_does_not_name_is_refused_here_too(ada):
    for login, status in ((wire.Login("ada", service="su"), 26), (wire.Login("ada", check_account=False), 28)):
        assert session("login", wire.handover(wire.POLICY.read_text(), login.encode(), False)) == status
