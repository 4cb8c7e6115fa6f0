"""What the hub makes of `[spawner]` with servers that run as their users."""
import subprocess

import pytest

from conftest import add_group, has_controller, sh, wait_for
from daemon import ORRERY, Daemon


@pytest.fixture
def started(request, someone):
    """A hub with these settings, and somebody who has signed in there."""
    hubs = []

    def start(settings="", who=someone, **more):
        hub = Daemon(settings, **more)
        hubs.append(hub)
        person = hub.person(who)
        person.sign_in()
        return hub, person

    yield start
    for hub in hubs:
        hub.stop()


def listening(who):
    """The TCP sockets on which an account listens."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in open(f"/proc/net/{name}").readlines()[1:]]
    return [row[1] for row in rows if row[3] == "0A" and int(row[7]) == who.uid]


def refusal(person):
    reply = person.api("POST", f"/users/{person.who.name}/server")
    assert not person.who.processes()
    return reply.status_code, reply.json()["message"]


def test_sec_082_a_server_listens_on_no_tcp_port(started, someone):
    _, person = started()
    person.start_server()
    assert listening(someone) == []
    assert "http+unix://" in person.run("sh", "-c", "echo $JUPYTERHUB_SERVICE_URL")["out"]


def test_with_tcp_a_server_listens_on_a_port_of_its_own_and_is_adopted(started, someone):
    hub, person = started('spawner.transport = "tcp"\nhub.cleanup_servers = false', arguments=())
    person.start_server()
    assert len(listening(someone)) == 1
    assert person.run("id", "-un")["out"].strip() == someone.name
    hub.kill()
    hub.start()
    wait_for(lambda: hub.is_ready(someone.name), hub.log)
    person.stop_server()
    wait_for(lambda: not someone.processes(), someone.processes)


def test_what_a_server_uses_is_in_its_model_on_home_and_for_operators(started, someone):
    if not (has_controller("memory") and has_controller("pids")):
        pytest.skip("this machine has no controllers")
    hub, person = started('spawner.poll_interval = 0.2\nspawner.mem_limit = "300M"\nspawner.process_limit = 50')
    person.start_server()
    usage = wait_for(lambda: hub.model(someone.name).get("usage"), hub.log)
    assert 0 < usage["memory"] < usage["memory_limit"] == 300 * 1024 * 1024 and usage["processes"] >= 1, usage
    wait_for(lambda: hub.model(someone.name)["usage"]["cpu"] is not None, hub.log)
    assert usage["memory_kills"] == 0 and "warning" not in usage
    person.get("/hub/home")
    assert "of 300 MiB" in person.page.text, person.page.text
    told = subprocess.run([ORRERY, "--config", hub.config, "servers"], capture_output=True, text=True, cwd=hub.folder,
                          env={"PATH": "/usr/bin:/bin"}, **hub.account.identity())
    assert "of 300 MiB" in told.stdout, told
    person.stop_server()
    person.get("/hub/home")
    assert "of 300 MiB" not in person.page.text


def test_limits_differ_by_group(started, someone):
    if not has_controller("memory"):
        pytest.skip("this machine has no memory controller")
    hub, person = started("""
spawner.poll_interval = 0.2
spawner.mem_limit = "300M"
[spawner.group_overrides.large]
groups = ["large"]
override = { mem_limit = "600M" }
""")
    hub.api("POST", "/groups/large")
    hub.api("POST", "/groups/large/users", json={"users": [someone.name]})
    person.start_server()
    usage = wait_for(lambda: hub.model(someone.name).get("usage"), hub.log)
    assert usage["memory_limit"] == 600 * 1024 * 1024, usage


def test_sec_083_nothing_that_a_server_started_outlives_it(started, someone):
    _, person = started("spawner.local.interrupt_timeout = 1\nspawner.local.term_timeout = 1")
    person.start_server()
    stubborn = "import os, signal, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n" \
        "for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(s, signal.SIG_IGN)\n" \
        "for n in (0, 1, 2): os.close(n)\ntime.sleep(1000)"
    person.run("/usr/bin/python3", "-c", stubborn)
    assert len(someone.processes()) == 2, someone.processes()
    person.stop_server()
    wait_for(lambda: not someone.processes(), someone.processes)
    person.start_server()
    person.stop_server()


def test_auth_025_who_has_left_the_allowed_groups_starts_nothing(started, someone):
    group = add_group(someone.name)
    hub, person = started(f'auth.local.allowed_groups = ["{group}"]\n', who=someone, allow_all=False)
    person.start_server()
    person.stop_server()
    sh("gpasswd", "-d", someone.name, group)
    assert refusal(person)[0] == 403
    reply = hub.api("POST", f"/users/{someone.name}/server")
    assert reply.status_code == 403 and "allowed_groups" in reply.text, reply.text
    assert not someone.processes()


def test_a_configured_variable_that_the_policy_does_not_name_is_told_with_its_key(started):
    hub, person = started('spawner.environment.LD_PRELOAD = "/tmp/x.so"')
    status, message = refusal(person)
    assert "LD_PRELOAD" in message and "`environment`" in message, message
    assert "no server can be started" in hub.log()


def test_variables_of_the_hub_that_the_policy_does_not_name_are_left_out(started):
    _, person = started('spawner.env_keep = ["PATH", "LANG"]')
    person.start_server()
    assert person.run("sh", "-c", "echo $PATH $HOME")["out"].split() == ["/usr/local/bin:/usr/bin:/bin", str(person.who.home)]


def test_folder_and_umask_are_the_servers(started):
    _, person = started('spawner.local.cwd = "/usr"\nspawner.local.umask = "0027"')
    person.start_server()
    assert person.run("sh", "-c", "pwd; umask")["out"].split() == ["/usr", "0027"]


def test_the_login_environment_needs_the_policy_and_reads_the_profile(started, policy, someone):
    profile = someone.home / ".profile"
    profile.write_text("export FROM_PROFILE=yes\n")
    hub, person = started('spawner.local.environment = "login"')
    status, message = refusal(person)
    assert "login_shell" in message, message
    policy(login_shell="yes")
    person.start_server()
    assert person.run("sh", "-c", "echo $FROM_PROFILE")["out"].strip() == "yes"


def test_a_server_that_ends_tells_how_it_ended_and_its_last_lines(started, someone):
    hub, person = started()
    person.start_server()
    person.client.post(f"{hub.url}/user/{someone.name}/exit", json={"status": 7})
    wait_for(lambda: not hub.is_ready(someone.name), hub.log)
    person.get("/hub/home")
    assert "exit status 7" in person.page.text, person.page.text
