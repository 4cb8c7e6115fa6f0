# On an upgrade everything goes on: the new package's post hands over.
if [ "$1" -eq 0 ]; then
    if [ -d /run/systemd/system ]; then
        # nothing may start a service again, nor the hub a server
        systemctl --no-reload disable --now @SOCKETS@ orrery.service || :
        systemctl --no-reload disable --now @SERVICES@ || :
    else
        systemctl --no-reload disable @SOCKETS@ @SERVICES@ || :
    fi
fi
exit 0
