if [ "$1" -eq 0 ] && [ -d /run/systemd/system ]; then
    systemctl --no-reload disable --now orrery.socket orrery.service orrery-proxy.socket orrery-proxy-api.socket orrery-proxy.service orrery-launch.socket || :
fi
