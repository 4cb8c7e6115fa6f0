"""A shell on a machine with the package, to look around: run.sh FILE.deb --console [command]."""
import subprocess
import sys

from machine import Machine

machine = Machine("orrery-console")
try:
    import conftest
    file = machine.copy(conftest.DEB)
    print(machine.run("apt-get", "install", "--yes", file), file=sys.stderr)
    subprocess.run(["nsenter", "--target", str(machine.leader), "--all", "env", "-i", "HOME=/root", "TERM=linux",
                    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "bash", *(["-c", sys.argv[1]] if sys.argv[1:] else [])])
finally:
    machine.close()
