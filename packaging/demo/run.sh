#!/usr/bin/env bash
# Starts a demonstration hub at http://127.0.0.1:8000: everybody who knows the password that is printed gets a
# JupyterLab of their own, run as the account that runs this script. Usage: run.sh <orrery binary>
set -euo pipefail
binary=$(realpath "$1")
cd "$(dirname "$0")/../.."
run=$PWD/.run
port=${PORT:-8000}
umask 077
mkdir -p "$run"

[ -s "$run/password" ] || head -c 9 /dev/urandom | base64 | tr '+/' '-_' >"$run/password"
password=$(cat "$run/password")
allow_root=()
pam=
if [ "$(id -u)" = 0 ]; then
  allow_root=('"--allow-root"')
  pam='

  As root, `make run-pam` shows the real thing: accounts of the system, servers as their users.'
fi

cat >"$run/orrery.toml" <<TOML
[proxy]
bind_url = "http://127.0.0.1:$port"

[hub]
bind_url = "http://127.0.0.1:${HUB_PORT:-8081}"
cookie_secret_file = "$run/cookie_secret"
named_servers = { enabled = true }

[database]
url = "sqlite:///$run/orrery.sqlite"

[auth]
type = "dummy"
allow_all = true
admin_users = ["admin"]
dummy = { password_file = "$run/password" }

[spawner]
type = "simple"
cmd = ["$PWD/.dev/venv/bin/jupyterhub-singleuser"]
args = [${allow_root[*]:-}]
simple = { home_dir_template = "$run/home/{username}" }
TOML

cat <<EOF

  Orrery:    http://127.0.0.1:$port
  user name: any, for example ada ("admin" is an administrator)
  password:  $password

  Stop it with Ctrl-C. Its files are in $run.$pam

EOF
exec "$binary" --config "$run/orrery.toml"
