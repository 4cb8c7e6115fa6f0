if [ "$1" -eq 0 ] && [ -d /run/systemd/system ]; then
    systemctl --no-reload disable --now orrery.service orrery-proxy.service orrery-proxy.socket orrery-launch.socket orrery-servers.service || :
fi
