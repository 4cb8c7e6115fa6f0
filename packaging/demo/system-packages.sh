#!/usr/bin/env bash
# Installs the system packages that building, running and testing need, if any is missing.
set -euo pipefail

need=(gcc strace passwd libc6-dev pkg-config libpam0g-dev libpq-dev python3-venv postgresql chromium chromium-driver curl ca-certificates util-linux nodejs npm nginx openssl pebble debootstrap systemd-container)
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
