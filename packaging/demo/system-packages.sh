#!/usr/bin/env bash
# Installs system packages that are missing: system-packages.sh PURPOSE..., of
#   run      a hub for oneself
#   pam      one with accounts of the system
#   test     the tests, but for those of the packages
#   package  the packages: what builds, reads and tries them
set -euo pipefail

[ $# -gt 0 ] || { echo "say what for: run, pam, test, package" >&2; exit 2; }
need=()
for purpose in "$@"; do
  case "$purpose" in
    run) need+=(gcc libc6-dev pkg-config libpq-dev python3-venv curl ca-certificates) ;;
    pam) need+=(libpam0g-dev passwd util-linux binutils) ;;
    test) need+=(strace postgresql chromium chromium-driver nodejs npm nginx openssl pebble) ;;
    package) need+=(
      dpkg-dev xz-utils rpm lintian rpmlint shellcheck debootstrap systemd systemd-container apparmor checkpolicy selinux-policy-dev
      apache2-bin fail2ban docker.io
    ) ;;
    *) echo "there is nothing to install for \"$purpose\"" >&2; exit 2 ;;
  esac
done
missing=()
for package in "${need[@]}"; do
  case "$package" in # what another source may have installed already
    python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null && continue ;;
    nodejs) command -v node >/dev/null && continue ;;
    npm) command -v npm >/dev/null && continue ;;
    nginx) command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] && continue ;;
  esac
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done

if [ "${#missing[@]}" -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "missing: ${missing[*]}; install them as root, or install sudo" >&2; exit 1; }
    as_root=(sudo)
  fi
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  policy=/usr/sbin/policy-rc.d # the packages must not start servers on this machine: the tests start their own
  made=
  if [ ! -e "$policy" ]; then
    made=1
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
  fi
  trap '[ -z "$made" ] || "${as_root[@]}" rm -f "$policy"' EXIT
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if ! command -v cargo >/dev/null && [ ! -x "$HOME/.cargo/bin/cargo" ]; then
  echo "installing: the Rust toolchain (rustup), into $HOME/.cargo"
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c clippy -c rustfmt
fi
