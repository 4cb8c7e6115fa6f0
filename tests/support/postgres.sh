#!/bin/sh
# A private PostgreSQL for the tests. Never touches a cluster of the system.
#   postgres.sh start DIR   makes a cluster in DIR (must not exist), starts it, prints its URL
#   postgres.sh stop DIR    ends it and removes DIR
#   postgres.sh halt DIR    ends it; what it holds stays
#   postgres.sh resume DIR  starts one that was halted, at the same URL
# Started as root it runs as the user `postgres`, since PostgreSQL refuses to run as root. The server listens on a free
# port of 127.0.0.1 and on a socket in DIR, trusts everyone who can connect, and skips fsync: for throw-away data only.
set -eu

die() {
    echo "postgres.sh: $1" >&2
    exit 1
}

bin=${ORRERY_POSTGRES_BIN:-$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)}
[ $# -eq 2 ] || die "usage: postgres.sh start|stop|halt|resume DIR"
[ -x "$bin/initdb" ] || die "no initdb found; install postgresql or set ORRERY_POSTGRES_BIN"
case $2 in
    /*) dir=$2 ;;
    *) dir=$PWD/$2 ;;
esac

as_postgres() {
    # from /, since the user postgres may not enter the current folder
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        (cd / && "$@")
    fi
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() {
    [ ! -e "$dir" ] || die "$dir exists already"
    mkdir -m 700 "$dir"
    [ "$(id -u)" -ne 0 ] || chown postgres "$dir"
    as_postgres "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir.log" 2>&1 ||
        die "initdb failed, see $dir.log"
    port=$(free_port)
    options="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$dir -c fsync=off"
    options="$options -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=32MB"
    echo "$options" >"$dir/options"
    as_postgres "$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/log" -o "$options" start >>"$dir.log" 2>&1 ||
        die "the server did not start, see $dir.log and $dir/log"
    rm -f "$dir.log"
    echo "postgresql://postgres@127.0.0.1:$port/postgres"
}

halt() {
    as_postgres "$bin/pg_ctl" -D "$dir/data" -w -t 60 -m fast stop >/dev/null
}

resume() {
    as_postgres "$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/log" -o "$(cat "$dir/options")" start >/dev/null
}

stop() {
    [ -f "$dir/data/PG_VERSION" ] || die "$dir holds no cluster of this script"
    if as_postgres "$bin/pg_ctl" -D "$dir/data" status >/dev/null 2>&1; then
        as_postgres "$bin/pg_ctl" -D "$dir/data" -w -t 60 -m fast stop >/dev/null
    fi
    rm -rf "$dir"
}

case $1 in
    start) start ;;
    stop) stop ;;
    halt) halt ;;
    resume) resume ;;
    *) die "usage: postgres.sh start|stop|halt|resume DIR" ;;
esac
