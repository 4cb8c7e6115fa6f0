"""Accounts that may not, or only after more words, sign in: what PAM's answer is made into."""
import os
import re
from pathlib import Path

import pytest

import wire
from conftest import (Conversation, add_to_service, add_user, ask, compile_library, pam_service, sh, sign_in, start, ticket_for,
                      wait_for)

PERMIT = ("auth required pam_permit.so", "account required pam_permit.so", "session required pam_permit.so")


def denied(who, *answers, **more):
    reply = ask(wire.Login(who.name, **more), *(answers or (who.password,)))
    assert isinstance(reply, wire.Denied), reply
    return reply


def test_the_right_password_gives_name_groups_and_a_ticket(ada):
    accepted = sign_in(ada)
    assert (accepted.name, accepted.uid, accepted.gid) == ("ada", ada.uid, ada.gid)
    assert sorted(accepted.groups) == ada.groups()
    facts = wire.ticket(accepted.ticket)
    assert facts.uid == ada.uid and facts == facts.signed()


@pytest.mark.parametrize("password", ["wrong", "", "correct horse ", "x" * 500])
def test_a_wrong_password_is_denied(ada, password):
    assert denied(ada, password).reason == "Credentials"


def test_sec_043_unknown_locked_and_known_users_are_asked_and_told_the_same(ada, someone):
    sh("usermod", "--lock", someone.name)
    seen = set()
    for name in ("ada", someone.name, "nobody-of-that-name", "ADA", "root", "ada@realm"):
        reply, said = Conversation(wire.Login(name)).finish("wrong")
        assert isinstance(reply, wire.Denied) and reply.reason == "Credentials", (name, reply)
        seen.add((reply.text.replace(name, "NAME"), tuple((type(one), one.echo, one.text) for one in said if isinstance(one, wire.Prompt))))
    assert len(seen) == 1, seen


def test_names_that_no_account_can_have_are_told_the_same():
    for name in ("../ada", "ada ", "-x", "a:b", "a\nb", "x" * 5000, "\u202eada", " "):
        reply = ask(wire.Login(name), "wrong")
        if reply == wire.Refused("Malformed"):
            continue  # line ends and the like do not even get as far as PAM
        assert isinstance(reply, wire.Denied) and (reply.reason, reply.text) == ("Credentials", "Invalid username or password"), (name, reply)


def test_sec_040_a_locked_account_is_denied(someone):
    sh("usermod", "--lock", someone.name)
    assert denied(someone).reason == "Credentials"


def test_sec_040_an_expired_account_is_denied(someone):
    sh("usermod", "--expiredate", "2020-01-01", someone.name)
    reply, said = Conversation(wire.Login(someone.name)).finish(someone.password)
    # Debian's common-account makes one answer of all; the words of pam_unix come through
    assert isinstance(reply, wire.Denied) and reply.reason in ("AccountExpired", "NotPermitted"), reply
    assert "account has expired" in " ".join([reply.text, *(one.text for one in said)]), said


def test_sec_040_an_expired_account_with_a_wrong_password_is_told_no_more_than_others(someone):
    sh("usermod", "--expiredate", "2020-01-01", someone.name)
    assert denied(someone, "wrong").reason == "Credentials"


def test_sec_040_nologin_keeps_everybody_out_and_says_why(ada):
    Path("/etc/nologin").write_text("The machine is being repaired until noon.\n")
    try:
        reply, said = Conversation(wire.Login("ada")).finish(ada.password)
        assert isinstance(reply, wire.Denied) and reply.reason == "NotPermitted", reply
        assert "repaired until noon" in " ".join([reply.text, *(one.text for one in said)])
    finally:
        os.unlink("/etc/nologin")


@pytest.mark.parametrize("line, files", [
    ("account required pam_access.so", {"/etc/security/access.conf": "- : ada : ALL\n"}),
    ("account required pam_time.so", {"/etc/security/time.conf": "*;*;ada;!Al0000-2400\n"}),
])
def test_sec_040_not_from_here_or_not_now_is_told(ada, line, files):
    kept = {path: Path(path).read_text() for path in files}
    add_to_service("orrery", line)
    try:
        for path, text in files.items():
            Path(path).write_text(text)
        assert denied(ada).reason == "NotPermitted"
    finally:
        for path, text in kept.items():
            Path(path).write_text(text)


def change_password(who, *answers):
    sh("chage", "--lastday", "0", who.name)
    return Conversation(wire.Login(who.name)).finish(*answers)


def test_sec_040_a_password_that_must_be_changed_is_changed_in_the_same_conversation(someone):
    new = "an entirely new Passphrase 7"
    reply, said = change_password(someone, someone.password, someone.password, new, new)
    assert isinstance(reply, wire.Accepted), (reply, said)
    assert [one.echo for one in said if isinstance(one, wire.Prompt)] == [False] * 4
    someone.password = new
    sign_in(someone)


def test_sec_040_a_password_that_must_be_changed_and_is_not_keeps_out(someone):
    reply, said = change_password(someone, someone.password, someone.password, "one New passphrase", "another New passphrase", "", "", "", "", "", "")
    assert isinstance(reply, wire.Denied) and reply.reason == "PasswordExpired", (reply, said)


def test_an_account_without_a_home_signs_in_and_its_server_runs():
    who = add_user("homeless", home=False)
    assert not who.home.exists()
    server = start(who, sign_in(who).ticket).ready()
    cwd = server.run("pwd").strip()
    assert cwd != str(who.home) and who.run("test", "-x", cwd).returncode == 0
    assert f"HOME={who.home}\n" in server.run("env")


def test_an_account_without_a_shell_has_the_usual_one():
    who = add_user("shellless")
    text = Path("/etc/passwd").read_text()
    Path("/etc/passwd").write_text(re.sub(r"^(shellless:.*:)/bin/bash$", r"\1", text, flags=re.M))
    assert "SHELL=/bin/sh\n" in start(who, sign_in(who).ticket).ready().run("env")


def test_an_account_whose_shell_is_nologin_has_servers_unless_pam_says_no():
    who = add_user("mute", "--shell", "/usr/sbin/nologin")
    start(who, sign_in(who).ticket).ready()
    add_to_service("orrery", "account required pam_shells.so")
    Path("/etc/shells").write_text("/bin/bash\n/bin/sh\n")
    assert isinstance(denied(who), wire.Denied)


def test_sec_041_the_account_is_the_one_that_pam_ended_with(ada, grace):
    library = compile_library("rename_user")
    pam_service("orrery", f"auth required {library} {grace.name}", *PERMIT[1:])
    accepted = ask(wire.Login("ada"))
    assert isinstance(accepted, wire.Accepted)
    assert (accepted.name, accepted.uid, wire.ticket(accepted.ticket).uid) == ("grace", grace.uid, grace.uid)


def test_sec_041_pam_may_ask_for_the_name(ada):
    conversation = Conversation(wire.Login(""))
    prompt = conversation.next()
    assert isinstance(prompt, wire.Prompt) and prompt.echo, prompt
    conversation.answer("ada")
    assert isinstance(conversation.result(ada.password), wire.Accepted)


def three_prompts():
    return pam_service("orrery", f"auth required {compile_library('three_prompts')}", *PERMIT[1:])


def test_sec_051_three_prompts_are_asked_one_by_one_as_the_module_wants(ada):
    three_prompts()
    reply, said = Conversation(wire.Login("ada")).finish("one", "green", "three")
    assert isinstance(reply, wire.Accepted), reply
    assert said == [wire.Message(False, "Have your <b>token</b> at hand"), wire.Prompt(False, "First secret: "),
                    wire.Prompt(True, "Favourite colour: "), wire.Prompt(False, "Code: ")]


def test_an_error_of_a_module_is_told(ada):
    three_prompts()
    reply, said = Conversation(wire.Login("ada")).finish("one", "blue")
    assert isinstance(reply, wire.Denied) and reply.reason == "Credentials"
    assert wire.Message(True, "That is not your colour") in said


def test_sec_044_answers_that_c_would_cut_or_that_are_endless_are_refused(ada):
    for answer in (ada.password + "\0x", "x" * 100_000):
        conversation = Conversation(wire.Login("ada"))
        assert isinstance(conversation.next(), wire.Prompt)
        conversation.answer(answer)
        reply = conversation.next()
        assert reply is None or isinstance(reply, wire.Denied), reply


def login_processes():
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"orrery-session\0login" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            pass
    return found


@pytest.mark.parametrize("kind", ["auth", "account"])
def test_sec_050_a_module_that_hangs_ends_with_the_deadline(ada, grace, policy, kind):
    policy(login_timeout="2s")
    lines = ["auth required pam_unix.so", "account required pam_unix.so", "session required pam_permit.so"]
    if kind == "auth":
        lines.insert(0, "auth [success=ignore default=bad] pam_succeed_if.so quiet user = ada")
    pam_service("orrery", *[f"{kind} required pam_exec.so quiet /bin/sleep 1000", *lines])
    conversation = Conversation(wire.Login("ada"))
    reply = conversation.result(ada.password)
    assert reply is None or isinstance(reply, wire.Denied), reply
    assert conversation.status() != 0
    wait_for(lambda: not login_processes(), "the end of the transaction")


def test_sec_050_a_conversation_that_is_left_ends(ada):
    conversation = Conversation(wire.Login("ada"))
    assert isinstance(conversation.next(), wire.Prompt)
    conversation.close()
    wait_for(lambda: not login_processes(), "the end of the transaction")


def test_sec_050_a_conversation_nobody_answers_ends_with_the_deadline(ada, policy):
    policy(login_timeout="1s")
    conversation = Conversation(wire.Login("ada"))
    assert isinstance(conversation.next(), wire.Prompt)
    reply = conversation.next()
    assert reply is None or isinstance(reply, wire.Denied), reply
    wait_for(lambda: not login_processes(), "the end of the transaction")


def test_sec_050_many_log_in_at_once(ada, grace):
    conversations = [(who, Conversation(wire.Login(who.name))) for who in (ada, grace) * 20]
    for who, conversation in conversations:
        assert isinstance(conversation.next(), wire.Prompt)
        conversation.answer(who.password)
    for who, conversation in conversations:
        assert conversation.result().uid == who.uid


def test_sec_042_endless_prompts_are_cut(ada):
    pam_service("orrery", f"auth required {compile_library('endless_prompts')}", *PERMIT[1:])
    conversation, rounds = Conversation(wire.Login("ada")), 0
    while isinstance(reply := conversation.next(), wire.Prompt):
        rounds += 1
        assert rounds < 1000
        conversation.answer("again")
    assert reply is None or isinstance(reply, wire.Denied), reply


def test_a_module_that_crashes_denies_that_login_only(ada, grace):
    pam_service("orrery", f"auth required {compile_library('crashing')}", *PERMIT[1:])
    conversation = Conversation(wire.Login("ada"))
    reply = conversation.next()
    assert reply is None or isinstance(reply, wire.Denied), reply
    pam_service("orrery", *PERMIT)
    assert isinstance(ask(wire.Login("grace")), wire.Accepted)


def test_a_service_that_does_not_exist_lets_nobody_in(ada, policy):
    policy(pam_service=["orrery", "missing"])
    Path("/etc/pam.d/other").write_text("auth required pam_deny.so\naccount required pam_deny.so\nsession required pam_deny.so\n")
    assert isinstance(denied(ada, "x", service="missing"), wire.Denied)
    pam_service("missing", "auth required pam_nonexistent.so")
    assert isinstance(denied(ada, "x", service="missing"), wire.Denied)


def test_sec_045_failures_are_logged_for_fail2ban(ada, syslog):
    denied(ada, "wrong", remote_host="198.51.100.7")
    assert syslog.wait("198.51.100.7", "ada")
    assert not syslog.find("wrong password is") and not syslog.find("correct horse")
