#!/bin/sh
# Writes every pin again from pyproject.toml: hashes, no download addresses. Needs `uv` on the PATH.
set -eu
cd "$(dirname "$0")/.."
lock() { out=$1; shift; uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
  --custom-compile-command "requirements/lock.sh" "$@" -o "requirements/$out"; }
lock local.txt pyproject.toml --extra local
# What is shipped is what is tested: the same versions.
lock edge.txt pyproject.toml -c requirements/local.txt
# `sam build` sees nothing outside shared/. The agent's own dependencies stay out of the layer.
lock ../shared/requirements.txt pyproject.toml --extra cloud -c requirements/local.txt \
  --no-emit-package websockets --no-emit-package pyserial
lock dev.txt pyproject.toml --extra dev -c requirements/local.txt
lock sam.txt requirements/sam.in
# Tools with an environment of their own, because what they pin or bring must not reach ours.
lock built.txt requirements/built.in
lock ministack.txt requirements/ministack.in
lock checkov.txt requirements/checkov.in
