# Data, settings and accounts stay: /var/lib/orrery, /var/log/orrery, /etc/orrery, orrery and orrery-users.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
fi
exit 0
