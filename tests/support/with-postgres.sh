#!/usr/bin/env bash
# Runs a command with a PostgreSQL of its own: a new cluster in a new folder, on a free loopback port, gone afterwards.
# Usage: with-postgres.sh <command> [argument...]
set -euo pipefail
base=$(mktemp -d)
folder=$base/cluster
chmod 711 "$base"
here=$(cd "$(dirname "$0")" && pwd)
finish() { "$here/postgres.sh" stop "$folder" >/dev/null 2>&1 || true; rm -rf "$base"; }
trap finish EXIT
url=$("$here/postgres.sh" start "$folder")
ORRERY_REQUIRE_POSTGRES=1 ORRERY_TEST_POSTGRES=$url "$@"
