#!/usr/bin/env bash
# Makes the Debian that the package is tried on, a shared machine as its installer leaves it: root.sh FOLDER. Made anew when this
# file has changed. The package's dependencies are in it, so that nothing is fetched while it is tried.
set -euo pipefail
root=$1
stamp=$(sha256sum "$0" | cut -d' ' -f1)
if [ "$(cat "$root/etc/test-root" 2>/dev/null)" = "$stamp" ]; then
  exit 0
fi

suite=bookworm
mirror=$(cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
  sed -n 's/^URIs: *//p; s/^deb [^h]*\(http[^ ]*\).*/\1/p' | head -1) || true
mirror=${mirror:-http://deb.debian.org/debian}
include=(
  systemd-sysv dbus libpam-systemd libpam-modules init-system-helpers adduser passwd util-linux procps iproute2 sudo ca-certificates
  python3 python3-venv libpq5 man-db
  nginx apache2 # in front of it, when a test starts one
  dnf # for the RPM, where a test says what of it is there
)
echo "package: a Debian $suite from $mirror, once"
rm -rf --one-file-system "$root" "$root.new"
mkdir -p "$(dirname "$root")"
log=$(mktemp)
debootstrap --variant=minbase --include="$(IFS=,; echo "${include[*]}")" "$suite" "$root.new" "$mirror" >"$log" 2>&1 ||
  { tail -20 "$log" >&2; exit 1; }
rm -rf "$log" "$root.new"/var/cache/apt/archives/*.deb
rm -f "$root.new"/etc/systemd/system/multi-user.target.wants/{nginx,apache2}.service
echo package-test >"$root.new/etc/hostname"
: >"$root.new/etc/machine-id" # each machine gets one of its own, and asks nobody anything
echo LANG=C.UTF-8 >"$root.new/etc/default/locale"
echo "$stamp" >"$root.new/etc/test-root"
mv "$root.new" "$root"
