#!/bin/sh
# Builds the agent's packages: packaging/build.sh FOLDER [ARCHITECTURE …]   (Debian's names; this machine's by default)
#
# - one wheel for every machine, whose dependencies pip brings;
# - one Debian package for each architecture, which brings them itself, for every Python that Debian and Ubuntu have had
#   since 3.11: compiled modules bear their Python's version in their name, so one folder holds them all, and a site
#   needs neither a compiler nor the network nor a virtual environment that the next system upgrade would break.
#
# PYTHON is the interpreter that has pip.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
shift
PYTHON=${PYTHON:-python3}
case $PYTHON in /*) ;; */*) PYTHON=$(pwd)/$PYTHON ;; esac
[ $# -gt 0 ] || set -- "$(dpkg --print-architecture)"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/pyproject.toml")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pip() { "$PYTHON" -m pip --quiet --disable-pip-version-check "$@"; }

wheel() { # in a copy, for setuptools leaves folders where it builds
  mkdir "$work/source"
  cp -R "$root/pyproject.toml" "$root/README.md" "$root/LICENSE" "$root/edge_agent" "$root/shared" "$work/source"
  pip wheel --no-deps --wheel-dir "$work/wheel" "$work/source"
  cp "$work"/wheel/spanbridge-*.whl "$out"
}

platform() { case $1 in amd64) echo x86_64 ;; arm64) echo aarch64 ;; armhf) echo armv7l ;; *) echo "no wheels for $1" >&2; exit 1 ;; esac; }

dependencies() { # FOLDER ARCHITECTURE
  machine=$(platform "$2")
  for python in 3.11 3.12 3.13; do
    pip install --require-hashes --no-deps --no-compile --only-binary=:all: --implementation cp --python-version "$python" \
      --platform "manylinux2014_$machine" --platform "manylinux_2_28_$machine" --platform "manylinux_2_31_$machine" \
      --target "$work/$2-$python" -r "$root/requirements/edge.txt"
    cp -R "$work/$2-$python/." "$1"
  done
  rm -rf "$1/bin"
}

debian() { # ARCHITECTURE
  tree=$work/tree-$1
  lib=$tree/usr/lib/spanbridge-agent
  mkdir -p "$lib" "$tree/usr/bin" "$tree/usr/lib/systemd/system" "$tree/usr/lib/udev/rules.d" "$tree/etc/spanbridge" \
    "$tree/usr/share/doc/spanbridge-agent" "$tree/DEBIAN"
  dependencies "$lib" "$1"
  pip install --no-deps --no-compile --target "$lib" "$work"/wheel/spanbridge-*.whl
  rm -rf "$lib/bin"
  install -m 755 "$root/packaging/debian/spanbridge-agent" "$tree/usr/bin/spanbridge-agent"
  site=$root/edge_agent/site
  # The same unit and rule that are told to be copied by hand, at the places of a package.
  sed -e '1{/^# Copy/d}' -e 's|^ExecStart=.*-m edge_agent|ExecStart=/usr/bin/spanbridge-agent|' \
    -e 's|^WorkingDirectory=.*|WorkingDirectory=/var/lib/spanbridge-agent|' \
    "$site/spanbridge-agent.service" > "$tree/usr/lib/systemd/system/spanbridge-agent.service"
  sed '1{/^# Copy/d}' "$site/70-spanbridge.rules" > "$tree/usr/lib/udev/rules.d/70-spanbridge.rules"
  install -m 640 "$site/agent.toml" "$tree/etc/spanbridge/agent.toml"
  cp "$root/LICENSE" "$tree/usr/share/doc/spanbridge-agent/copyright"
  gzip -9nc "$root/CHANGELOG.md" > "$tree/usr/share/doc/spanbridge-agent/changelog.gz"
  echo /etc/spanbridge/agent.toml > "$tree/DEBIAN/conffiles"
  sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$1/" -e "s/@SIZE@/$(du -sk "$tree" | cut -f1)/" \
    "$root/packaging/debian/control" > "$tree/DEBIAN/control"
  for script in postinst prerm postrm; do
    install -m 755 "$root/packaging/debian/$script" "$tree/DEBIAN/$script"
  done
  dpkg-deb --root-owner-group --build "$tree" "$out/spanbridge-agent_${version}_$1.deb" > /dev/null
}

wheel
for architecture in "$@"; do debian "$architecture"; done
ls -1 "$out"/spanbridge*
