#!/usr/bin/env bash
# The package on a Debian that is booted, systemd as its first process: run.sh FILE.deb [pytest's arguments]. Machine, files,
# network and control groups are the tests' own and gone when they end. Without root or without what it needs it says so and ends;
# --able does nothing but that.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(realpath "$here/../../..")

skip() {
  echo "package: skipped, $1"
  exit "${unable:-0}"
}

if [ "${1:-}" != --inside ]; then
  [ "${1:-}" != --able ] || unable=1
  [ "$(id -u)" = 0 ] || skip "it needs root (a machine is booted)"
  for program in systemd-nspawn debootstrap dpkg-deb nsenter; do
    command -v "$program" >/dev/null || skip "$program is missing"
  done
  unshare --mount --pid --fork --net true 2>/dev/null || skip "namespaces cannot be made here"
  [ -z "${unable:-}" ] || exit 0
  cd "$root"
  nice -n 10 "$here/root.sh" "${ORRERY_TEST_ROOT:-$root/.dev/package-root}"
  "$here/wheels.sh" "${ORRERY_TEST_WHEELS:-$root/.dev/wheels}"
  export ORRERY_TEST_RUN=$$
  unshare --mount --propagation private --pid --fork --mount-proc --kill-child "$0" --inside "$@"
  exit
fi
shift

ORRERY_DEB=$(realpath "$1")
export ORRERY_DEB
shift
cd "$root"
if [ "${1:-}" = --console ]; then
  shift
  .dev/venv/bin/python "$here/console.py" "$@"
  exit
fi
[[ "$*" == *test_* ]] || set -- "$@" "$here"
# not exec: the first process of a namespace adopts what others leave behind, and a shell looks after it
.dev/venv/bin/python -m pytest -q -p no:cacheprovider --tb=short "$@"
