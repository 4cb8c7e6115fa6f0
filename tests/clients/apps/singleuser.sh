#!/bin/sh
# jupyterhub-singleuser of the version that the user's name asks for: `v611-ada` runs 6.1.1.
case "$JUPYTERHUB_USER" in
    v611*) version=6.1.1 ;;
    v554*) version=5.5.4 ;;
    v416*) version=4.1.6 ;;
    *) exit 64 ;;
esac
bin="$CLIENTS/clients-$version/bin"
PATH="$bin:$PATH" exec "$bin/jupyterhub-singleuser" --allow-root "$@"
