#!/bin/sh
# install.sh DIRECTORY: make a virtual environment with smtp-probe, its extra nats and their pinned packages, hashes checked.
#
# The image is built by it, and whoever wants the same without a container can run it as well. Run it in the top folder
# of the sources; it needs Python 3.11 or newer with the module venv, and writes nowhere but to DIRECTORY and $TMPDIR.
set -eu
target=$1
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT

python3 -m venv "$tools/venv"
"$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes \
    --requirement requirements/build.txt
uv=$tools/venv/bin/uv
export UV_NO_CACHE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never

"$uv" venv --quiet "$target"
"$uv" pip install --quiet --python "$target" --require-hashes --compile-bytecode --requirements requirements/nats.txt
"$uv" build --quiet --wheel --python "$tools/venv" --no-build-isolation --out-dir "$tools/wheel"
"$uv" pip install --quiet --python "$target" --no-deps --compile-bytecode "$tools"/wheel/*.whl
