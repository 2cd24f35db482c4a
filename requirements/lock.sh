#!/bin/sh
# Writes every pin again from pyproject.toml: hashes, no download addresses. Needs `uv` on the PATH.
set -eu
cd "$(dirname "$0")/.."
lock() { out=$1; shift; uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
  --custom-compile-command "requirements/lock.sh" "$@" -o "requirements/$out"; }
lock edge.txt pyproject.toml --extra edge
lock layer.txt pyproject.toml --extra cloud
lock local.txt pyproject.toml --extra local
lock dev.txt pyproject.toml --extra dev -c requirements/local.txt
lock sam.txt requirements/sam.in
