#!/usr/bin/env bash
# Installs what `make bench-proxy` compares with and measures with, if any is missing: nginx, haproxy, wrk, and CHP in .dev/chp.
set -euo pipefail
cd "$(dirname "$0")/../.."

need=(nginx haproxy wrk openssl iproute2 npm nodejs)
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
missing=()
for package in "${need[@]}"; do
  case "$package" in # what another source may have installed already
    nginx) command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] && continue ;;
    haproxy) [ -x /usr/sbin/haproxy ] && continue ;;
    iproute2) command -v ip >/dev/null && continue ;;
    nodejs) command -v node >/dev/null && continue ;;
    *) command -v "$package" >/dev/null && continue ;;
  esac
  missing+=("$package")
done

if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  policy=/usr/sbin/policy-rc.d # the packages must not start servers on this machine
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

chp=.dev/chp/node_modules/.bin/configurable-http-proxy
if [ ! -x "$chp" ]; then
  echo "installing: configurable-http-proxy 5.3.0, into .dev/chp"
  npm install --silent --no-audit --no-fund --prefix .dev/chp configurable-http-proxy@5.3.0 >/dev/null
fi
