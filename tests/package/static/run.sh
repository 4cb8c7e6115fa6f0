#!/usr/bin/env bash
# The packages as files: run.sh [pytest's arguments]. As root it also installs, upgrades and purges them, in copies of a
# Debian (tests/package/boot/root.sh) that are mounted in a namespace of its own.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(realpath "$here/../../..")
cd "$root"
pytest=("$root/.dev/venv/bin/python" -m pytest -q -p no:cacheprovider --confcutdir "$here" --tb=short)
[[ "$*" == *test_* ]] || set -- "$@" "$here"
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
  [ ! -x tests/package/boot/root.sh ] || tests/package/boot/root.sh "${ORRERY_TEST_ROOT:-$root/.dev/package-root}"
  exec unshare --mount --propagation private "${pytest[@]}" "$@"
fi
exec "${pytest[@]}" "$@"
