# build.sh writes the units here, in the order in which they are started.
sockets="@SOCKETS@"
services="@SERVICES@"
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
    for unit in $sockets; do
        if systemctl --quiet is-enabled "$unit"; then
            systemctl start "$unit" || echo "orrery: $unit did not start; see: journalctl -u $unit" >&2
        fi
    done
    if [ "$1" -eq 1 ]; then
        for unit in $services; do
            if systemctl --quiet is-enabled "$unit"; then
                systemctl start "$unit" || echo "orrery: $unit did not start; see: journalctl -u $unit" >&2
            fi
        done
    else
        # The proxy hands its port and its connections over to the new one; the new hub adopts the servers of the old one.
        if systemctl --quiet is-active orrery-proxy.service; then
            systemctl reload orrery-proxy.service || echo "orrery: orrery-proxy.service did not reload" >&2
        fi
        systemctl try-restart orrery.service || echo "orrery: orrery.service did not restart; see: journalctl -u orrery.service" >&2
    fi
fi
exit 0
