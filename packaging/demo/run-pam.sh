#!/usr/bin/env bash
# Starts a hub as it is meant to be, at http://127.0.0.1:8000: people sign in with accounts of the system (PAM) and get a
# JupyterLab as themselves, while the hub runs as the account `orrery`, without privileges. As root. The test account, /etc, /run
# and /var are the demonstration's own: it ends and they are gone. Usage: run-pam.sh <orrery> <orrery-launch> <orrery-session>
set -euo pipefail
root=$(realpath "$(dirname "$0")/../..")

if [ "$(id -u)" != 0 ]; then
  echo "run-pam needs root: for a test account, and to install a setuid program (in a namespace of its own). As it is: make run" >&2
  exit 1
fi

if [ "${1:-}" != --inside ]; then
  programs=("$(realpath "$1")" "$(realpath "$2")" "$(realpath "$3")")
  export CGROUP_PARENT=orrery-demo-$$
  trap 'find /sys/fs/cgroup -depth -type d -path "*/$CGROUP_PARENT*" -exec rmdir {} + 2>/dev/null || true' EXIT
  trap : INT TERM # the hub hears them, too, and ends in order
  unshare --mount --propagation private --pid --fork --mount-proc --kill-child "$0" --inside "${programs[@]}"
  exit
fi
shift

. "$root/packaging/demo/private-system.sh"
cd "$root"
lab=$(realpath .dev/venv)/bin/jupyterhub-singleuser
private_mounts
private_reachable "$lab" .dev/venv/bin/python
cd "$root"
install_orrery "$@"

name=${DEMO_USER:-ada}
password=${DEMO_PASSWORD:-$(head -c 9 /dev/urandom | base64 | tr '+/' '-_')}
useradd --create-home --base-dir /run/home --shell /bin/bash "$name"
chpasswd <<<"$name:$password"

# the example, with what differs from machine to machine
sed -e "s|^caller_uid = .*|caller_uid = $(id -u orrery)|" -e "s|^command = .*|command = $lab|" -e "/^cgroup_parent/d" etc/launch.policy >/etc/orrery/launch.policy
cat >>/etc/orrery/launch.policy <<EOP
cgroup_parent = $CGROUP_PARENT
EOP

port=${PORT:-8000}
cat >/etc/orrery/orrery.toml <<TOML
[proxy]
bind_url = "http://127.0.0.1:$port"

[hub]
bind_url = "http://127.0.0.1:${HUB_PORT:-8081}"
cookie_secret_file = "/var/lib/orrery/cookie_secret"
ticket_dir = "/run/orrery/tickets"
named_servers = { enabled = true }

[database]
url = "sqlite:////var/lib/orrery/orrery.sqlite"

[auth]
type = "pam"
allow_all = true
admin_users = ["$name"]

[spawner]
type = "local"
cmd = ["$lab"]
args = ["--ServerApp.sock={socket}", "--ServerApp.sock_mode=0660", "--KernelManager.transport=ipc"]
TOML

cat <<EOF2

  Orrery:    http://127.0.0.1:$port
  user name: $name (an account made for this demonstration, and an administrator)
  password:  $password

  The hub runs as the account orrery, servers as their users on UNIX sockets. Stop it with Ctrl-C: everything is gone then.

EOF2
cd /var/lib/orrery
# not exec: the first process of a namespace adopts what others leave behind, and a shell looks after it
setpriv --reuid orrery --regid orrery --init-groups env -i PATH=/usr/bin:/bin /usr/lib/orrery/orrery --config /etc/orrery/orrery.toml
