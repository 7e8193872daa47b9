#!/usr/bin/env bash
# Installs the Debian packages that tests need and this machine lacks.
set -euo pipefail
missing=()
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
command -v chromium >/dev/null || missing+=(chromium fonts-noto-cjk)
command -v redis-server >/dev/null || missing+=(redis-server)
[ ${#missing[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null; then
  echo "tests need: ${missing[*]} (names of Debian packages); install them and run this again" >&2
  exit 1
fi
as=()
[ "$(id -u)" -eq 0 ] || as=(sudo)
echo "installing ${missing[*]}"
"${as[@]}" apt-get update -qq
"${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
