#!/usr/bin/env bash
# The privileged programs with real accounts, in namespaces of their own: run.sh [pytest's arguments]. Nothing of it touches
# the machine's /etc, /run or /var. Needs root; without, it says so and ends.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(realpath "$here/../..")

if [ "$(id -u)" != 0 ]; then
  echo "privileged: skipped, it needs root (accounts, a setuid program, PAM sessions)"
  exit 0
fi

if [ "${1:-}" != --inside ]; then
  if ! unshare --mount --pid --fork --net true 2>/dev/null; then
    echo "privileged: skipped, namespaces cannot be made here"
    exit 0
  fi
  export CGROUP_PARENT=orrery-test-$$
  remove_cgroups() { find /sys/fs/cgroup -depth -type d -path "*/$CGROUP_PARENT*" -exec rmdir {} + 2>/dev/null || true; }
  trap remove_cgroups EXIT
  unshare --mount --propagation private --pid --fork --mount-proc --net --kill-child "$0" --inside "$@"
  exit
fi
shift

. "$root/packaging/demo/private-system.sh"
bin=${ORRERY_TARGET:-${CARGO_TARGET_DIR:-$root/target}}
python=$root/.dev/venv/bin/python
cd "$root"
private_mounts
private_dev
private_reachable "$python" "$(realpath "$root/.dev/venv")/bin/jupyterhub-singleuser"
cd "$root"
install_orrery "${ORRERY_BIN:-$bin/debug/orrery}" "${ORRERY_LAUNCH:-$bin/debug/orrery-launch}" "${ORRERY_SESSION:-$bin/debug/orrery-session}"
install -m 0755 "$here/probe.py" /usr/lib/orrery/probe
# not exec: the first process of a namespace adopts what others leave behind, and a shell looks after it
[[ "$*" == *test_* ]] || set -- "$@" "$here"
"$python" -m pytest -q -p no:cacheprovider "$@"
