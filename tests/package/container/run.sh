#!/usr/bin/env bash
# The container image, built from nothing (a minimal Debian by debootstrap) and tried in both of its ways: run.sh FILE.deb
# [pytest's arguments]. A dockerd of its own is started for it, with its data in a folder that is removed at the end. Without
# root or without dockerd it says so and ends.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(realpath "$here/../../..")
deb=$(realpath "$1")
shift

skip() {
  echo "container: skipped, $1"
  exit 0
}
[ "$(id -u)" = 0 ] || skip "it needs root (dockerd is started)"
for program in dockerd docker debootstrap; do
  command -v "$program" >/dev/null || skip "$program is missing"
done

base=$root/.dev/container-base.tar
if [ ! -e "$base" ]; then
  echo "container: a minimal Debian, once"
  mirror=$(cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
    sed -n 's/^URIs: *//p; s/^deb [^h]*\(http[^ ]*\).*/\1/p' | head -1) || true
  mkdir -p "$root/.dev"
  tree=$(mktemp -d)
  nice -n 10 debootstrap --variant=minbase --include=ca-certificates bookworm "$tree" "${mirror:-http://deb.debian.org/debian}" >/dev/null
  chmod 0755 "$tree" # mktemp makes 0700, and it would be the root folder
  rm -f "$tree"/var/cache/apt/archives/*.deb
  tar -C "$tree" -cf "$base.new" .
  mv "$base.new" "$base"
  rm -rf --one-file-system "$tree"
fi

data=$(mktemp -d)
dockerd --data-root "$data/data" --exec-root "$data/exec" --pidfile "$data/pid" --host "unix://$data/socket" \
  --bridge=none --iptables=false >"$data/log" 2>&1 &
daemon=$!
ended() {
  kill "$daemon" 2>/dev/null && wait "$daemon" || true
  for mounted in $(awk -v d="$data/" 'index($2, d) == 1 {print $2}' /proc/mounts | sort -r); do umount --lazy "$mounted" || true; done
  rm -rf --one-file-system "$data"
}
trap ended EXIT
export DOCKER_HOST=unix://$data/socket ORRERY_DEB=$deb ORRERY_BASE=$base DOCKER_BUILDKIT=0
for _ in $(seq 100); do
  docker version >/dev/null 2>&1 && break
  kill -0 "$daemon" 2>/dev/null || { tail -3 "$data/log"; skip "dockerd does not start here"; }
  sleep 0.2
done
cd "$root"
nice -n 10 .dev/venv/bin/python -m pytest -q -p no:cacheprovider --tb=short --confcutdir "$here" "$@" "$here"
