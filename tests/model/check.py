"""What must be true once nothing is under way: REST, the process table, the proxy's routes and the database agree."""
import time

from world import Finding, PATIENCE

SERVERS = """SELECT users.name AS user_name, servers.id AS id, servers.name AS name, servers.port AS port, servers.proto AS proto,
 servers.oauth_client_id AS client, servers.api_token_id AS token FROM servers JOIN users ON users.id = servers.user_id"""
TOKENS = "SELECT id, server_id, client_id, purpose, prefix, note FROM api_tokens"
CLIENTS = "SELECT identifier, server_id, service_id FROM oauth_clients"


def settle(world):
    """Waits until the hub says that nothing is under way; what it says of its users then."""
    deadline = time.monotonic() + PATIENCE
    while True:
        users = world.users()
        busy = [(name, server["name"], server["pending"])
                for name, user in users.items() for server in user["servers"].values() if server["pending"]]
        if not busy:
            return users
        if time.monotonic() > deadline:
            raise Finding(f"still pending after {PATIENCE} s: {busy}")
        time.sleep(0.05)


def agreement(world):
    """Every disagreement between what the hub says and what is, once nothing is under way."""
    users = settle(world)
    wrong = []
    ready = {(name, server["name"]): server
             for name, user in users.items() for server in user["servers"].values() if server["ready"]}
    processes = {}
    for process in world.processes():
        processes.setdefault(process.key, []).append(process)
    rows = {(row["user_name"], row["name"]): row for row in world.database.rows(SERVERS)}
    tokens = {row["id"]: row for row in world.database.rows(TOKENS)}
    clients = {row["identifier"]: row for row in world.database.rows(CLIENTS)}
    routes = {spec: route for spec, route in world.routes().items() if spec.startswith("/user/")}
    wanted_tokens, wanted_clients, wanted_routes = set(), set(), set()
    for key, server in ready.items():
        row, found = rows.get(key), processes.pop(key, [])
        if len(found) != 1:
            wrong.append(f"{key} is ready and has the processes {[process.pid for process in found]}")
        if row is None or row["port"] is None:
            wrong.append(f"{key} is ready and its row is {row}")
            continue
        spec = f"/user/{key[0]}/{key[1]}".rstrip("/") + "/"
        wanted_routes.add(spec)
        target = routes.get(spec, {}).get("target", "")
        if not target.rstrip("/").endswith(f":{row['port']}"):
            wrong.append(f"{key} is ready at port {row['port']} and routed to {target or 'nowhere'}")
        token = tokens.get(row["token"])
        if token is None or token["server_id"] != row["id"] or token["purpose"] != "server":
            wrong.append(f"{key} is ready and its token's row is {token}")
        wanted_tokens.add(row["token"])
        client = clients.get(row["client"])
        if client is None or client["server_id"] != row["id"]:
            wrong.append(f"{key} is ready and its client's row is {client}")
        wanted_clients.add(row["client"])
        for process in found[:1]:
            if process.port != row["port"]:
                wrong.append(f"{key} listens at port {process.port} and is recorded at {row['port']}")
            status, text = world.request("GET", spec + "api")
            if (status, text) != (200, str(process.pid)):
                wrong.append(f"{key} is process {process.pid} and its URL says {status} {text[:80]!r}")
            status, text = world.api("GET", "/user", token=process.token)
            if status != 200:
                wrong.append(f"{key}: the token of its process is answered with {status}")
    for key, found in processes.items():
        wrong.append(f"{key} is not ready and has the processes {[process.pid for process in found]}")
    for key, row in rows.items():
        if key not in ready and any(row[column] is not None for column in ("port", "proto", "token", "client")):
            wrong.append(f"{key} is stopped and its row is {row}")
    for row in tokens.values():
        if row["purpose"] == "server" and row["id"] not in wanted_tokens:
            wrong.append(f"a token of no running server: {row}")
    for row in clients.values():
        if row["server_id"] is not None and row["identifier"] not in wanted_clients:
            wrong.append(f"a client of no running server: {row}")
    for spec in routes.keys() - wanted_routes:
        wrong.append(f"a route to no running server: {spec} to {routes[spec].get('target')}")
    shown = {(name, server) for name, user in users.items() for server in user["servers"] if server}
    recorded = {key for key in rows if key[1]}
    if shown != recorded:
        wrong.append(f"named servers shown and not recorded {shown - recorded}, recorded and not shown {recorded - shown}")
    gauge = running(world)
    if gauge != len(ready):
        wrong.append(f"running_servers is {gauge}, and {len(ready)} run")
    return users, wrong


def running(world):
    status, text = world.request("GET", "/hub/metrics")
    for line in text.splitlines():
        if "running_servers" in line and not line.startswith("#"):
            return int(float(line.rsplit(" ", 1)[1]))
    raise Finding(f"no running_servers among the metrics, {status}")


def agree(world):
    """Checks until everything agrees: the end of a process is noticed a moment after it, so that a first look may differ."""
    deadline = time.monotonic() + 40
    while True:
        users, wrong = agreement(world)
        if not wrong:
            return users
        if time.monotonic() > deadline:
            raise Finding("\n  ".join(["no agreement:", *wrong]))
        time.sleep(0.3)
