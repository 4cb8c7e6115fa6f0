#!/usr/bin/env bash
# Fetches what `orrery user-env create` installs, for a machine that has no way out: wheels.sh FOLDER.
set -euo pipefail
folder=$1
[ -d "$folder" ] && exit 0
echo "package: JupyterLab's packages, once"
rm -rf "$folder.new"
# for the Python of the machine (root.sh), whatever runs here
"$(dirname "$0")/../../../.dev/venv/bin/pip" download --quiet --disable-pip-version-check --only-binary :all: --python-version 3.11 \
  --dest "$folder.new" jupyterhub==6.1.1 jupyterlab
mv "$folder.new" "$folder"
