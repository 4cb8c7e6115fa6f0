"""The set-up itself."""
import os
from pathlib import Path

import wire
from conftest import policy_text


def test_accounts_are_real_and_of_this_namespace_alone(ada):
    assert ada.run("id", "-un").stdout == "ada\n"
    assert ada.run("cat", "/etc/shadow").returncode != 0
    assert os.stat("/run/.upper").st_mode & 0o777 == 0o700


def test_the_system_log_is_heard(syslog, ada):
    ada.run("logger", "-p", "auth.info", "hello from ada")
    assert syslog.wait("hello from ada")


def test_a_ticket_comes_back_as_it_was():
    ticket = wire.Ticket(1000, 1, 2, b"b" * 16, b"n" * 16).signed(b"k" * 32)
    assert wire.ticket(ticket.encode()) == ticket and len(ticket.encode()) == 85


def test_the_programs_are_installed_as_a_package_does():
    for path, mode, group in ((wire.LAUNCH, 0o4750, "orrery"), (wire.SESSION, 0o700, "root")):
        if Path(path).exists():
            assert (os.stat(path).st_mode & 0o7777, Path(path).owner(), Path(path).group()) == (mode, "root", group)
    assert "caller_uid = " in policy_text()
