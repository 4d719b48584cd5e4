#!/bin/sh
# venv.sh PYTHON DIRECTORY: make the virtual environment of the project, with every pinned package, hashes checked.
# Debian's python3 comes without the part that makes environments: it is installed where that is allowed.
set -eu
python=$1
directory=$2
here=$(dirname "$0")

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "smtp-probe needs Python 3.11 or newer; $python is $("$python" --version 2>&1). Say make PYTHON=python3.11" >&2
    exit 2
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "installing python3-venv" >&2
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-venv
fi
echo "setting up $directory (once)" >&2
"$python" -m venv --clear "$directory"
"$directory/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
    --requirement "$here/build.txt"
# uv is among the tools that build: it fetches and compiles with all processors, and takes half as long as pip.
# Files are copied, so that no environment changes with another.
export UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
uv() { "$directory/bin/uv" pip install --quiet --python "$directory/bin/python" --compile-bytecode "$@"; }
uv --require-hashes --requirements "$here/dev.txt"
uv --no-deps --no-build-isolation --editable .
