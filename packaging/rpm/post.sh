# build.sh writes the units here, in the order in which they are started.
sockets="@SOCKETS@"
services="@SERVICES@"
# A unit that does not start leaves the package installed: what is wrong is often a setting.
failed() {
    echo "orrery: $1 did not $2; see: systemctl status $1; journalctl -u $1" >&2
}

policy=/etc/orrery/launch.policy
# It holds the uid that the account has got on this machine, and is written anew while nobody has changed it.
if [ ! -e "$policy" ] || [ -e "$policy.unchanged" ]; then
    (
        umask 022
        sed "s/^caller_uid = .*/caller_uid = $(id -u orrery)/" /usr/share/orrery/launch.policy >"$policy.new"
    )
    mv "$policy.new" "$policy"
    rm -f "$policy.unchanged"
fi
systemd-tmpfiles --create orrery.conf || :
if [ "$1" -eq 1 ]; then
    # shellcheck disable=SC2086 # lists
    systemctl --no-reload preset $sockets $services || :
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    for unit in $sockets $services; do
        systemctl --quiet is-enabled "$unit" || continue
        if [ "$1" -eq 1 ] || ! systemctl --quiet is-active "$unit"; then
            systemctl start "$unit" || failed "$unit" start
            continue
        fi
        case "$unit" in
        # the proxy hands its port and its connections over to the new one
        orrery-proxy.service) systemctl reload "$unit" || failed "$unit" reload ;;
        # the new hub adopts the servers of the old one
        orrery.service) systemctl restart "$unit" || failed "$unit" restart ;;
        esac
    done
fi
exit 0
