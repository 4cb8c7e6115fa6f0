systemd-sysusers orrery.conf
chown root:orrery /usr/lib/orrery/orrery-launch
chmod 4750 /usr/lib/orrery/orrery-launch
if [ ! -e /etc/orrery/launch.policy ]; then
    umask 022
    sed "s/^caller_uid = .*/caller_uid = $(id -u orrery)/" /usr/share/orrery/launch.policy >/etc/orrery/launch.policy.new
    mv /etc/orrery/launch.policy.new /etc/orrery/launch.policy
fi
systemd-tmpfiles --create orrery.conf || :
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ "$1" -gt 1 ]; then
        systemctl reload orrery-proxy.service || :
        systemctl try-restart orrery.service || :
    fi
fi
