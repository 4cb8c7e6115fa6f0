"""What the package carries besides programs, each read by the program that it is for."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import pytest

from conftest import INSIDE, ROOT, needs, run

UNITS = sorted((ROOT / "packaging/systemd").glob("orrery*"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def orrery(tree):
    return tree / "usr/bin/orrery"


@pytest.mark.parametrize("unit", ["orrery.service", "orrery-proxy.service"])
def test_sec_117_the_units_are_locked_in(unit, number):
    needs("systemd-analyze")
    said = run("systemd-analyze", "security", "--offline=yes", ROOT / "packaging/systemd" / unit)
    score = float(re.search(r"Overall exposure level for .*: ([\d.]+)", said)[1])
    number(f"systemd-analyze security {unit}", score)
    assert score <= 2.0, said


def test_systemd_understands_the_units(debian, deb):
    machine = debian()
    install(machine, deb)
    found = sorted(path.name for path in machine.path("/usr/lib/systemd/system").glob("orrery*"))
    assert found == [path.name for path in UNITS]
    done = subprocess.run(["chroot", machine.folder, "systemd-analyze", "verify", "--man=no", *found], text=True, capture_output=True, env=INSIDE)
    # of this machine, not of the units: whether its control groups are still those of version 1
    told = [line for line in done.stderr.splitlines() if "running with legacy cgroups v1" not in line]
    ours = [line for line in told if "orrery" in line]
    assert not ours, done.stderr


def install(machine, deb):
    shutil.copy(deb, machine.path("/tmp"))
    return machine.run("dpkg", "--install", f"/tmp/{deb.name}")


def check(orrery, text, tmp_path, package=True):
    """Has the program read a configuration, with what the package sets below it."""
    file = tmp_path / "orrery.toml"
    drop_ins = tmp_path / "orrery.d"
    drop_ins.mkdir()
    file.write_text((ROOT / "packaging/orrery.d/10-package.toml").read_text() if package else "")
    file.chmod(0o600)
    for number, part in enumerate(text):
        (drop_ins / f"{number}.toml").write_text(part)
    return run(orrery, "--config", file, "config", "check", cwd=tmp_path)


def test_the_settings_are_right(orrery, tmp_path):
    said = check(orrery, [(ROOT / "packaging/etc/orrery.toml").read_text()], tmp_path)
    assert "is right" in said, said


@pytest.mark.parametrize("file", sorted((ROOT / "packaging/examples").glob("*.toml")), ids=lambda file: file.name)
def test_the_examples_are_right_with_them(orrery, file, tmp_path):
    said = check(orrery, [(ROOT / "packaging/etc/orrery.toml").read_text(), file.read_text()], tmp_path)
    assert "is right" in said, said


def test_an_administrators_file_wins_over_the_package(orrery):
    """By the paths that are built in: what the package sets is in no other folder."""
    packaged = (ROOT / "Cargo.toml").read_text()
    assert 'dest = "/usr/lib/orrery/orrery.d/"' in packaged
    assert b"/usr/lib/orrery/orrery.d" in orrery.read_bytes()


def test_nginx_understands_its_example(tmp_path):
    nginx = needs("nginx")
    site = (ROOT / "packaging/nginx/orrery.conf").read_text()
    key, certificate = self_signed(tmp_path)
    site = re.sub(r"/etc/letsencrypt/\S+fullchain.pem", str(certificate), site)
    site = re.sub(r"/etc/letsencrypt/\S+privkey.pem", str(key), site)
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off;\n{site}\n}}\n")
    done = subprocess.run([nginx, "-t", "-c", whole], text=True, capture_output=True)
    assert done.returncode == 0 and "[warn]" not in done.stderr, done.stderr


def test_apache_understands_its_example(tmp_path):
    apache = needs("apache2")
    key, certificate = self_signed(tmp_path)
    site = (ROOT / "packaging/apache/orrery.conf").read_text()
    site = re.sub(r"/etc/letsencrypt/\S+fullchain.pem", str(certificate), site)
    site = re.sub(r"/etc/letsencrypt/\S+privkey.pem", str(key), site)
    modules = re.search(r"a2enmod ((?:\w+ )+)", site.replace("\n# ", " "))[1].split()
    loaded = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in ["mpm_event", "authz_core", "alias", *modules])
    whole = tmp_path / "apache.conf"
    whole.write_text(f"ServerRoot {tmp_path}\nServerName x\nPidFile {tmp_path}/pid\nErrorLog /dev/stderr\n{loaded}\n{site}")
    done = subprocess.run([apache, "-t", "-f", whole], text=True, capture_output=True)
    assert done.returncode == 0 and "Syntax OK" in done.stderr, done.stderr


def self_signed(folder):
    needs("openssl")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
        "-subj", "/CN=hub.example.org", "-keyout", key, "-out", certificate)
    return key, certificate


def test_sec_116_apparmor_understands_the_profiles():
    parser = needs("apparmor_parser")
    profile = ROOT / "packaging/apparmor/orrery"
    run(parser, "--skip-kernel-load", "--skip-cache", profile)
    names = set(re.findall(r"^profile (\S+)", profile.read_text(), re.M))
    used = {name for unit in UNITS for name in re.findall(r"^AppArmorProfile=-(\S+)", unit.read_text(), re.M)}
    assert names == used == {"orrery-hub", "orrery-proxy"}
    launch = (ROOT / "packaging/systemd/orrery-launch@.service").read_text()
    assert "AppArmorProfile" not in launch, "users' servers would be confined"


def test_sec_116_selinux_understands_the_module(tmp_path):
    needs("checkmodule")
    if not os.path.exists("/usr/share/selinux/devel/Makefile"):
        pytest.skip("selinux-policy-dev is not installed")
    for file in (ROOT / "packaging/selinux").glob("orrery.*"):
        shutil.copy(file, tmp_path)
    run("make", "-f", "/usr/share/selinux/devel/Makefile", "orrery.pp", cwd=tmp_path)
    assert (tmp_path / "orrery.pp").stat().st_size > 10_000


def scraped(url):
    deadline = time.monotonic() + 30
    while True:
        try:
            return urllib.request.urlopen(url, timeout=5).read().decode()
        except OSError:
            assert time.monotonic() < deadline, url
            time.sleep(0.1)


@pytest.fixture(scope="module")
def families(tree, tmp_path_factory):
    """Names of the metrics of a hub with its proxy inside, and of a proxy of its own."""
    folder = tmp_path_factory.mktemp("hub")
    public, hub, alone, api, metrics = (free_port() for _ in range(5))
    (folder / "orrery.toml").write_text(
        f'metrics.authenticate = false\nauth.type = "dummy"\nauth.allow_all = true\nauth.dummy.password = "a-long-test-password"\n'
        f'proxy.bind_url = "http://127.0.0.1:{public}"\nhub.port = {hub}\nspawner.type = "simple"\n'
    )
    (folder / "orrery.toml").chmod(0o600)
    programs = [
        [tree / "usr/bin/orrery", "--config", "orrery.toml"],
        [tree / "usr/bin/orrery-proxy", "--port", str(alone), "--api-port", str(api), "--metrics-port", str(metrics)],
    ]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ORRERY_")}
    running = [subprocess.Popen(program, cwd=folder, env=clean, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for program in programs]
    try:
        pages = scraped(f"http://127.0.0.1:{public}/hub/metrics") + scraped(f"http://127.0.0.1:{metrics}/metrics")
    finally:
        for process in running:
            process.terminate()
            process.wait(10)
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", pages, re.M))


def queries():
    dashboard = json.loads((ROOT / "packaging/grafana/orrery.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["definition"]


def test_every_metric_of_the_dashboard_exists(families):
    named = set()
    for title, query in queries():
        for name in re.findall(r"\b(?:jupyterhub|orrery|process|requests)_\w+", query):
            base = re.sub(r"_(bucket|count|sum)$", "", name)
            kind = families.get(name) or families.get(base)
            assert kind, f"{title}: nobody counts {name}"
            assert name in families or kind == "histogram", f"{title}: {name} is no histogram"
            named.add(name)
    assert len(named) > 20


def test_every_panel_has_a_query_and_a_place_of_its_own():
    panels = json.loads((ROOT / "packaging/grafana/orrery.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        assert panel["type"] == "row" or panel["targets"], panel["title"]


def test_the_completions_are_scripts(tree):
    for name in ("orrery", "orrery-proxy"):
        run("bash", "-n", tree / "usr/share/bash-completion/completions" / name)


@pytest.mark.parametrize("line", [
    "Nov 27 08:00:00 host orrery-session[71]: Failed login for ada from 192.0.2.7: authentication failed",
    "Nov 27 08:00:00 host orrery-session[71]: Failed login for ada from 2001:db8::7: account has expired",
])
def test_fail2ban_finds_failed_logins(line, tmp_path):
    matcher = needs("fail2ban-regex")
    filters = tmp_path / "filter.d"
    filters.mkdir()
    shutil.copy("/etc/fail2ban/filter.d/common.conf", filters)
    shutil.copy(ROOT / "packaging/fail2ban/orrery.conf", filters)
    said = run(matcher, line, filters / "orrery.conf")
    assert "1 matched" in said, said
