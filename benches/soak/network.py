"""Networks of our own, so that clients can vanish: no FIN, no RST, no answer to anything.

The proxy lives in a namespace whose default route leads nowhere, as packets to a closed notebook do. Each group of
clients lives behind a cable to it; pulling the cable makes them vanish.
"""
import os
import subprocess

HOME = "10.202.0.1"


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Network:
    """The proxy's side. Nothing of it is visible on the machine's own network."""

    def __init__(self):
        self.name, self.made = f"soak{os.getpid()}", 0
        self.nowhere = self.name + "n"
        self.namespaces = []
        try:
            for name in (self.nowhere, self.name):
                ip("netns", "add", name)
                self.namespaces.append(name)
            ip("-n", self.name, "link", "add", "way", "type", "veth", "peer", "name", "eth0", "netns", self.nowhere)
            for name, words in (
                (self.name, ["link", "set", "lo", "up"]), (self.name, ["addr", "add", f"{HOME}/32", "dev", "lo"]),
                (self.name, ["addr", "add", "10.204.0.1/30", "dev", "way"]), (self.name, ["link", "set", "way", "up"]),
                (self.nowhere, ["addr", "add", "10.204.0.2/30", "dev", "eth0"]), (self.nowhere, ["link", "set", "eth0", "up"]),
                (self.name, ["route", "add", "default", "via", "10.204.0.2"]),  # which forwards nothing, and says nothing
            ):
                ip("-n", name, *words)
        except BaseException:
            self.close()
            raise

    def inside(self, *command):
        return ["ip", "netns", "exec", self.name, *command]

    def group(self):
        self.made += 1
        return Group(self, self.made)

    def close(self):
        for name in self.namespaces:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


class Group:
    """Clients on one cable."""

    def __init__(self, network, number):
        self.network, self.name, self.cable = network, f"{network.name}c{number}", f"cable{number}"
        own, peer = f"10.203.{number}.1", f"10.203.{number}.2"
        ip("netns", "add", self.name)
        network.namespaces.append(self.name)
        ip("-n", network.name, "link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("-n", network.name, "addr", "add", f"{own}/30", "dev", self.cable)
        ip("-n", network.name, "link", "set", self.cable, "up")
        for words in (["link", "set", "lo", "up"], ["addr", "add", f"{peer}/30", "dev", "eth0"], ["link", "set", "eth0", "up"],
                      ["route", "add", "default", "via", own]):
            ip("-n", self.name, *words)

    def inside(self, *command):
        return ["ip", "netns", "exec", self.name, *command]

    def vanish(self):
        ip("-n", self.network.name, "link", "del", self.cable)

    def close(self):
        ip("netns", "del", self.name)
        self.network.namespaces.remove(self.name)
