#!/usr/bin/env bash
# Stands in for the daemon in black-box suites that configure SQLite: gives every configuration file a PostgreSQL
# database of its own, in the cluster of with-postgres.sh, and becomes the daemon. A second run with the same file meets
# the same database. Usage: ORRERY_REAL_BIN=target/debug/orrery orrery-on-postgres.sh --config <file> [argument...]
set -euo pipefail
previous=
for argument in "$@"; do
  [[ $previous == --config ]] && config=$argument
  previous=$argument
done
database=parity_$(printf %s "${config:?}" | md5sum | cut -c1-24)
case $(psql -qAtX "$ORRERY_TEST_POSTGRES" -c "SELECT 1 FROM pg_database WHERE datname = '$database'") in
  1) ;;
  *) psql -qX "$ORRERY_TEST_POSTGRES" -c "CREATE DATABASE $database" >/dev/null ;;
esac
# everything up to the name of the database; the cluster's URL may have parameters behind it
server=${ORRERY_TEST_POSTGRES%%\?*}
parameters=${ORRERY_TEST_POSTGRES#"$server"}
export ORRERY_DATABASE__URL=${server%/*}/$database$parameters
program=$ORRERY_REAL_BIN
unset ORRERY_REAL_BIN ORRERY_REQUIRE_POSTGRES ORRERY_TEST_POSTGRES # no settings of the daemon's
exec "$program" "$@"
