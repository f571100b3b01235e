#!/bin/sh
# Install what Lux9 needs here (`install.sh book`: what its book needs).  Python does the work (doctor.py); this only
# makes sure that there is one, for systems as bare as a fresh container.
if ! command -v python3 >/dev/null && command -v apt-get >/dev/null; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get -q update && $sudo apt-get -q install -y python3-minimal
fi
exec python3 "$(dirname "$0")/doctor.py" --install "$@"
