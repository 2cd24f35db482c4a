#!/bin/sh
# Makes a virtual environment from a lock, or brings it up to date: requirements/venv.sh FOLDER LOCK PYTHON-VERSION
# Finds the interpreter as pythonX.Y, through pyenv or through uv; whatever is found must really run.
set -eu
folder=$1 lock=$2 version=$3
runs() { [ -n "$1" ] && "$1" -c "import sys; sys.exit(sys.version_info[:2] != tuple(map(int, '$version'.split('.'))))" 2>/dev/null; }
found=""
for each in "python$version" "$(pyenv prefix "$version" 2>/dev/null || true)/bin/python$version" "$(uv python find "$version" 2>/dev/null || true)"; do
  if [ -z "$found" ] && runs "$each"; then found=$each; fi
done
if [ -z "$found" ]; then
  echo "no Python $version: install it from your distribution, with 'pyenv install $version' or with 'uv python install $version'" >&2
  exit 1
fi
stamp="$folder/.lock"
if ! runs "$folder/bin/python" || ! cmp -s "$lock" "$stamp"; then
  rm -rf "$folder"
  "$found" -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
  cp "$lock" "$stamp"
fi
