# The group must be there when orrery-launch is unpacked. The same lines as in /usr/lib/sysusers.d/orrery.conf.
systemd-sysusers --replace=/usr/lib/sysusers.d/orrery.conf - <<'END' || :
@SYSUSERS@
END
# A policy that nobody has changed follows the package's template; post writes it anew.
policy=/etc/orrery/launch.policy
template=/usr/share/orrery/launch.policy
if [ "$1" -gt 1 ] && [ -f "$policy" ] && [ -f "$template" ]; then
    if sed "s/^caller_uid = .*/caller_uid = $(id -u orrery)/" "$template" | cmp -s - "$policy"; then
        : >"$policy.unchanged"
    else
        rm -f "$policy.unchanged"
    fi
fi
