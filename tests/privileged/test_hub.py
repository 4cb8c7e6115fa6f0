"""The hub as an unprivileged account: what people see of PAM, and that servers outlive it."""
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import wire
from conftest import add_to_service, add_user, compile_library, pam_service, sh, small_disk, ticket_for, wait_for
from daemon import Daemon

PERMIT = ("auth required pam_permit.so", "account required pam_permit.so", "session required pam_permit.so")
INVALID = "Invalid username or password"


@pytest.fixture(scope="module")
def hub():
    hub = Daemon()
    yield hub
    hub.stop()


def turned_away(hub, who, told, status=403, password=None):
    person = hub.person(who)
    page = person.sign_in(password)
    assert not person.is_in() and told in page.text and person.status == status, (person.status, page.text, hub.log()[-3000:])
    assert hub.api("GET", "/user", token="x").status_code == 403
    return page


# Signing in.

def test_the_hub_runs_without_privileges_and_people_sign_in(hub, ada):
    status = Path(f"/proc/{hub.process.pid}/status").read_text()
    assert f"Uid:\t{hub.account.uid}\t" in status and "CapEff:\t0000000000000000" in status
    person = hub.person(ada)
    person.sign_in()
    assert person.is_in(), (person.page.text, hub.log())
    assert hub.api("GET", "/users/ada").json()["name"] == "ada"


def test_a_wrong_password_a_locked_account_and_an_unknown_name_are_told_the_same(hub, ada, someone):
    turned_away(hub, ada, INVALID, password="wrong")
    sh("usermod", "--lock", someone.name)
    turned_away(hub, someone, INVALID)
    someone.name = "nobody-of-that-name"
    turned_away(hub, someone, INVALID)


def test_an_expired_account_is_told(hub, someone):
    sh("usermod", "--expiredate", "2020-01-01", someone.name)
    turned_away(hub, someone, "account has expired")


def test_nologin_is_told_in_the_words_of_the_file(hub, ada):
    Path("/etc/nologin").write_text("The machine is being repaired until noon.\n")
    try:
        turned_away(hub, ada, "The machine is being repaired until noon.")
    finally:
        os.unlink("/etc/nologin")


def test_a_password_that_must_be_changed_is_changed_on_the_page(hub, someone):
    sh("chage", "--lastday", "0", someone.name)
    person, new = hub.person(someone), "an entirely new Passphrase 7"
    page = person.sign_in()
    asked = []
    while "answer" in page.fields:
        assert page.types["answer"] == "password"
        asked.append(page.text)
        assert len(asked) < 5, asked
        page = person.answer(new if "ew" in page.text.split("Signing in as")[1].replace("new to", "") and len(asked) > 1 else someone.password)
    assert person.is_in(), (asked, page.text)
    someone.password = new
    again = hub.person(someone)
    again.sign_in()
    assert again.is_in()


def test_a_password_that_is_not_changed_keeps_out_and_says_why(hub, someone):
    sh("chage", "--lastday", "0", someone.name)
    person = hub.person(someone)
    page = person.sign_in()
    for answer in (someone.password, "One new passphrase", "Another new passphrase", "", "", "", "", ""):
        if "answer" not in page.fields:
            break
        page = person.answer(answer)
    assert not person.is_in() and "The password has expired and was not changed" in page.text, page.text


def test_an_account_outside_the_range_is_told(hub):
    turned_away(hub, add_user("lowly-one", "--uid", "510"), "outside of what the administrator permits")


@pytest.mark.parametrize("name", ["Ada.Two", "a_b-c.e", "user2@realm", "b" * 32])
def test_odd_names_sign_in_and_get_servers(hub, name):
    """The hub's names are lower-case, the account's are not always."""
    who = add_user(name, "--badname")
    person = hub.person(who)
    page = person.sign_in()
    assert person.is_in() or "name" in page.text.lower() or INVALID in page.text, page.text
    if person.is_in():
        user = person.api("GET", "/user").json()["name"]
        who.name = user
        person.start_server()
        assert person.run("id", "-u")["out"].strip() == str(who.uid)
        person.stop_server()


def test_accounts_without_home_or_shell_get_servers(hub):
    for who in (add_user("no-home", home=False), add_user("no-shell", "--shell", "/usr/sbin/nologin")):
        person = hub.person(who)
        person.sign_in()
        assert person.is_in(), person.page.text
        person.start_server()
        assert person.run("id", "-un")["out"].strip() == who.name
        person.stop_server()


def test_a_module_that_hangs_is_told_and_keeps_nobody_else_waiting(hub, ada, grace, policy):
    policy(login_timeout="3s")
    pam_service("orrery", "auth [success=1 default=ignore] pam_succeed_if.so quiet user != ada",
                "auth required pam_exec.so quiet /bin/sleep 1000", "auth required pam_unix.so nodelay",
                "account required pam_unix.so", "session required pam_permit.so")
    other = hub.person(grace)
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(turned_away, hub, ada, "took too long")
        other.sign_in()
        assert other.is_in() and not waiting.done()
        waiting.result()


def three_prompts():
    pam_service("orrery", f"auth required {compile_library('three_prompts')}", *PERMIT[1:])


def test_three_prompts_are_three_forms_that_need_no_script(hub, ada):
    three_prompts()
    person = hub.person(ada)
    page = person.sign_in("one")
    assert "Favourite colour:" in page.text and page.types["answer"] == "text", page.text
    assert "Have your <b>token</b> at hand" in page.text
    page = person.answer("green")
    assert "Code:" in page.text and page.types["answer"] == "password"
    person.answer("three")
    assert person.is_in()


def test_a_wrong_answer_among_three_begins_anew_with_what_the_module_said(hub, ada):
    three_prompts()
    person = hub.person(ada)
    person.sign_in("one")
    page = person.answer("blue")
    assert not person.is_in() and person.status == 403 and "answer" not in page.fields and "username" in page.fields, page.text


def test_a_question_is_of_the_browser_that_was_asked(hub, ada, grace):
    three_prompts()
    person, other = hub.person(ada), hub.person(grace)
    stolen = person.sign_in("one")
    other.get("/hub/login")
    page = other.post(question=stolen.fields["question"], answer="green")
    assert "Code:" not in page.text and not other.is_in()
    assert "Code:" in person.answer("green").text


def test_sec_053_the_api_takes_one_password_but_never_skips_a_prompt(hub, ada):
    body = {"auth": {"username": "ada", "password": ada.password}}
    reply = httpx.post(f"{hub.url}/hub/api/users/ada/tokens", json=body, timeout=60)
    assert reply.status_code in (200, 201), reply.text
    three_prompts()
    body["auth"]["password"] = "one"
    reply = httpx.post(f"{hub.url}/hub/api/users/ada/tokens", json=body, timeout=60)
    assert reply.status_code == 401 and "/hub/login" in reply.text, reply.text


def helpers():
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().startswith((b"orrery-session", b"orrery-launch", b"/usr/lib/orrery/orrery-launch")):
                found.append(int(folder.name))
        except OSError:
            pass
    return found


def test_a_helper_that_is_killed_in_a_conversation_is_told(hub, ada):
    three_prompts()
    person = hub.person(ada)
    person.sign_in("one")
    for pid in helpers():
        os.kill(pid, signal.SIGKILL)
    page = person.answer("green")
    assert not person.is_in() and person.status >= 500 and "username" in page.fields, (person.status, page.text)
    again = hub.person(ada)
    assert "Favourite colour" in again.sign_in("one").text


def test_a_policy_with_loose_permissions_is_told_to_the_operator(hub, ada):
    wire.POLICY.chmod(0o666)
    person = hub.person(ada)
    person.sign_in()
    assert not person.is_in() and person.status >= 500
    assert "launch.policy" in hub.log()


def test_sec_043_known_and_unknown_users_see_the_same_page(hub, ada):
    seen = set()
    for name in ("ada", "nobody-at-all"):
        person = hub.person(ada)
        person.sign_in("wrong", name=name)
        text = person.reply.text.replace(name, "NAME")
        seen.add((person.status, "".join(line for line in text.splitlines() if "_xsrf" not in line and "xsrf" not in line)))
    assert len(seen) == 1


def test_sec_012_no_password_or_ticket_is_logged(hub, ada, syslog):
    person = hub.person(ada)
    person.sign_in()
    hub.person(ada).sign_in("a-wrong-password")
    for text in (hub.log(), "\n".join(syslog.lines)):
        assert ada.password not in text and "a-wrong-password" not in text
    memory = Path(f"/proc/{hub.process.pid}/status").read_text()
    assert "VmRSS" in memory


# Servers.

@pytest.fixture
def person(hub, someone):
    person = hub.person(someone)
    person.sign_in()
    assert person.is_in(), person.page.text
    return person


def test_a_server_is_its_user(hub, person):
    person.start_server()
    assert person.run("id")["out"] == sh("su", "-", person.who.name, "-c", "id")
    person.stop_server()
    wait_for(lambda: not person.who.processes(), person.who.processes)


def test_sec_048_a_session_is_closed_though_the_hub_was_killed(someone, sessions):
    hub = Daemon()
    person = hub.person(someone)
    person.sign_in()
    person.start_server()
    hub.kill()
    (pid,) = [pid for pid, line in someone.processes().items() if "/probe" in line]
    assert sessions.lines() == [f"open_session {someone.name} orrery"]
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: sessions.lines()[-1] == f"close_session {someone.name} orrery", sessions.lines)
    hub.start()
    wait_for(lambda: not hub.model(someone.name), hub.log)
    hub.stop()


def test_a_hub_that_comes_back_adopts_its_servers(someone):
    hub = Daemon("hub.cleanup_servers = false")
    person = hub.person(someone)
    person.sign_in()
    before = person.start_server()
    pid = person.run("sh", "-c", "echo $PPID")["out"]
    hub.kill()
    hub.start()
    wait_for(lambda: hub.is_ready(someone.name), hub.log)
    assert person.run("sh", "-c", "echo $PPID")["out"] == pid
    assert hub.model(someone.name)["started"] == before["started"]
    person.stop_server()
    wait_for(lambda: not someone.processes(), someone.processes)
    hub.stop()


def test_the_end_of_a_server_while_the_hub_was_away_is_told(someone):
    hub = Daemon("hub.cleanup_servers = false")
    person = hub.person(someone)
    person.sign_in()
    person.start_server()
    hub.kill()
    for pid in someone.processes():
        os.kill(pid, signal.SIGKILL)
    hub.start()
    wait_for(lambda: not hub.is_ready(someone.name), hub.log)
    person.get("/hub/home")
    assert "signal 9" in person.page.text or "SIGKILL" in person.page.text or "killed" in person.page.text, person.page.text
    hub.stop()


def refused_start(person, *words):
    reply = person.api("POST", f"/users/{person.who.name}/server")
    if reply.status_code == 202:
        wait_for(lambda: not (person.hub.model(person.who.name) or {}).get("pending"), person.hub.log)
    else:
        assert reply.status_code >= 400, reply.text
    person.get(f"/hub/spawn/{person.who.name}")
    person.get("/hub/home")
    text = reply.text + person.page.text
    assert all(word in text for word in words), (reply.status_code, text, person.hub.log()[-2000:])
    assert not person.who.processes()
    return reply


def ticket_file(person):
    return person.hub.folder / "tickets" / str(person.who.uid)


@pytest.mark.parametrize("kind", ["none", "forged", "foreign", "expired", "earlier boot", "revoked"])
def test_sec_076_without_a_good_ticket_the_owner_is_told_to_sign_in_again(hub, person, grace, kind):
    path = ticket_file(person)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    match kind:
        case "none":
            path.unlink()
        case "forged":
            path.write_bytes(os.urandom(85))
        case "foreign":
            path.write_bytes(ticket_for(grace))
        case "expired":
            path.write_bytes(ticket_for(person.who, issued=1, expires=2))
        case "earlier boot":
            path.write_bytes(ticket_for(person.who, boot_id=b"x" * 16))
        case "revoked":
            from conftest import ask
            assert ask(wire.Revoke(person.who.uid)) == wire.Revoked()
    refused_start(person, "ign in again")


def test_an_admin_cannot_start_the_server_of_somebody_who_never_signed_in(hub, someone):
    hub.api("POST", f"/users/{someone.name}")
    reply = hub.api("POST", f"/users/{someone.name}/server")
    wait_for(lambda: not (hub.model(someone.name) or {}).get("pending"), hub.log)
    assert reply.status_code == 403 and "unattended" in reply.text, (reply.status_code, reply.text)
    assert not someone.processes()


def test_unattended_starts_work_where_the_policy_permits(hub, someone, policy):
    policy(unattended_uids=f"{someone.uid}")
    hub.api("POST", f"/users/{someone.name}")
    assert hub.api("POST", f"/users/{someone.name}/server").status_code in (201, 202)
    wait_for(lambda: hub.is_ready(someone.name), hub.log)
    hub.api("DELETE", f"/users/{someone.name}/server")
    wait_for(lambda: not someone.processes(), someone.processes)


def test_a_command_that_the_policy_does_not_name_is_told_with_the_key(hub, person, policy):
    policy(command=["/usr/bin/other"])
    refused_start(person, "command")


def test_a_policy_with_loose_permissions_starts_nothing(hub, person):
    wire.POLICY.chmod(0o666)
    refused_start(person, "launch.policy")


def test_a_full_disk_is_told(hub, person):
    person.start_server()
    person.stop_server()
    with small_disk(wire.RUNTIME / "servers"):
        for n in range(200):
            try:
                (wire.RUNTIME / "servers" / f"f{n}").touch()
            except OSError:
                break
        refused_start(person, "pace left")
    person.start_server()
    person.stop_server()


def test_a_pam_session_that_fails_is_told(hub, person):
    add_to_service("orrery", "session required pam_deny.so")
    refused_start(person, "PAM")


def test_a_memory_limit_kills_the_kernel_not_the_server_and_says_so(someone):
    from conftest import has_controller
    if not has_controller("memory"):
        pytest.skip("this machine has no memory controller")
    hub = Daemon('spawner.mem_limit = "200M"')
    person = hub.person(someone)
    person.sign_in()
    person.start_server()
    done = person.run("python3", "-c", "x = bytearray(400 * 1024 * 1024)")
    assert done["status"] == -9, done
    assert person.run("true")["status"] == 0

    def told():
        person.get("/hub/home")
        return "memory" in person.page.text.lower() and "200" in person.page.text
    wait_for(told, lambda: (person.page.text, hub.log()[-3000:]))
    person.stop_server()
    hub.stop()


def test_sec_081_the_proxy_sends_nothing_to_a_socket_of_somebody_else(hub, person, grace):
    """Root alone could put one there; even then the peer's uid decides."""
    import socket
    import threading
    person.start_server()
    (path,) = (wire.RUNTIME / "servers" / str(person.who.uid)).glob("*")
    path.rename(str(path) + ".kept")
    heard = []
    listener = socket.socket(socket.AF_UNIX)
    os.setegid(grace.gid), os.seteuid(0)
    listener.bind(str(path))
    os.chmod(path, 0o666)
    os.setegid(grace.gid)
    os.seteuid(grace.uid)
    listener.listen()
    os.seteuid(0)
    os.setegid(0)

    def listen():
        connection, _ = listener.accept()
        heard.append(connection.recv(100))
        connection.close()
    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    reply = person.client.get(f"{hub.url}/user/{person.who.name}/x")
    assert reply.status_code in (502, 503) and heard in ([], [b""]), (reply.status_code, heard)
    listener.close()
    path.unlink()
    Path(str(path) + ".kept").rename(path)
    person.stop_server()


def test_sec_076_logging_out_everywhere_makes_the_ticket_void(hub, person):
    ticket = ticket_file(person).read_bytes()
    reply = hub.api("POST", f"/users/{person.who.name}/revoke")
    assert reply.status_code in (200, 204), reply.text
    from conftest import ask
    assert ask(wire.Start(person.who.uid, ticket)) == wire.Refused("TicketRevoked")
