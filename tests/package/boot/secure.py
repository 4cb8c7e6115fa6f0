"""HTTPS with a certificate of the machine's own, and visitors who come from elsewhere."""
import socket
import ssl

import httpx

from people import Site

NAME = "hub.example.org"
# An address of the machine that is not its loopback's: for a visitor from elsewhere.
VISITOR = "192.0.2.7"


def certificate(machine, folder, key, chain):
    """Makes one, as files of these names; the text of it."""
    return machine.shell(f"""
mkdir -p {folder}; cd {folder}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={NAME} -addext subjectAltName=DNS:{NAME} \
  -keyout {key} -out {chain} 2>/dev/null
cat {chain}""")


def visitor(machine):
    """Lets somebody come from VISITOR."""
    machine.shell(f"ip address show dev lo | grep -qF {VISITOR} || ip address add {VISITOR}/32 dev lo")


class Through(httpx.HTTPTransport):
    """To the machine, whatever the name: no name server knows the example's."""

    def __init__(self, port, **more):
        super().__init__(local_address=VISITOR, **more)
        self.port = port

    def handle_request(self, request):
        url = request.url.copy_with(host="127.0.0.1", port=self.port)
        return super().handle_request(httpx.Request(
            request.method, url, headers=request.headers, stream=request.stream,
            extensions=request.extensions | {"sni_hostname": request.url.host}))


class Plain(Site):
    """The proxy's own port, for a visitor from elsewhere."""

    def client(self, **more):
        return httpx.Client(transport=Through(8000), timeout=120, **more)


class Secure(Site):
    """HTTPS, for a visitor from elsewhere."""

    def __init__(self, authority, port=443):
        self.authority, self.port = authority, port
        self.address = f"https://{NAME}" if port == 443 else f"https://{NAME}:{port}"
        self.context = ssl.create_default_context(cafile=authority)

    def client(self, **more):
        return httpx.Client(transport=Through(self.port, verify=self.context), timeout=120, **more)

    def websocket(self, path, **more):
        through = socket.create_connection(("127.0.0.1", self.port), source_address=(VISITOR, 0))
        return super().websocket(path, sock=through, ssl=self.context, server_hostname=NAME, **more)
