"""Stands in for systemd's orrery-launch.socket: <socket> <program>. Runs the program for each connection, as its descriptor 0."""

import socket
import subprocess
import sys

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(64)
print("listens", flush=True)
while True:
    connection, _ = listener.accept()
    subprocess.Popen([sys.argv[2]], stdin=connection)
    connection.close()
