"""The machine is switched off and on again."""
from machine import wait_for


def test_a_reboot_keeps_what_is_on_disk_and_voids_the_tickets(machine, ada):
    before = ada.browser().signed_in()
    user = before.api("GET", "/users/ada").json()
    key = machine.run("sha256sum", "/run/orrery-launch/ticket.key")
    secret = machine.run("sha256sum", "/var/lib/orrery/cookie_secret")
    machine.stop()
    machine.boot()
    assert machine.run("systemctl", "is-system-running", check=False).stdout.strip() == "running", machine.run("systemctl", "--failed")
    for unit in ("orrery.service", "orrery-proxy.service", "orrery-launch.socket"):
        assert machine.property(unit, "ActiveState") == "active"
    assert machine.run("sha256sum", "/var/lib/orrery/cookie_secret") == secret
    # the browser is still signed in, but no server starts without a login of this boot
    again = before.api("GET", "/users/ada").json()
    assert again["created"] == user["created"] and not again.get("servers"), again
    before.api("POST", "/users/ada/server")
    failed = wait_for(lambda: (page := before.get("/hub/spawn/ada").text) and "sign in again" in page.lower() and page,
                      lambda: before.get("/hub/spawn/ada").text, 30)
    assert failed
    # a new login is all that it takes
    browser = ada.browser().signed_in()
    assert machine.run("sha256sum", "/run/orrery-launch/ticket.key") != key
    browser.start_server()
    browser.stop_server()


def test_nothing_of_a_previous_boot_runs_or_is_told_to(machine, ada):
    assert not machine.run("pgrep", "--full", "jupyterhub-singleuser", check=False).stdout
    assert machine.run("systemctl", "--failed", "--no-legend", "--plain").strip() == ""
