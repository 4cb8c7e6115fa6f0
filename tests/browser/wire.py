"""A wire between browser and hub that can be cut: real loss of the network, also for what is open already."""
import socket
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit


class Wire:
    """Passes bytes on between its own address and the hub's."""

    def __init__(self, hub):
        target = urlsplit(hub)
        self.target = (target.hostname, target.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.whole = True
        self.open = set()
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self):
        """Everything that is open breaks, and nothing new comes through."""
        self.whole = False
        for end in list(self.open):
            _break(end)

    def mend(self):
        self.whole = True

    def _listen(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return  # closed
            if not self.whole:
                _break(near)
                continue
            far = socket.create_connection(self.target)
            self.open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass  # cut
        for end in (one, other):
            self.open.discard(end)
            _break(end)


def _break(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # broken already
    end.close()


@contextmanager
def wire(hub):
    """A wire to this hub; gives it whole."""
    made = Wire(hub)
    try:
        yield made
    finally:
        made.cut()
        made.listener.close()
