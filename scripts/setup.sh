# Sourced by start.sh and test.sh, from the top of the checkout: installs what is missing, and nothing else.
# A second run with nothing to do costs a few milliseconds.

say() { printf '%s\n' "$*" >&2; }

# Packages from the lock file. The stamp is written last, so an interrupted installation is done again.
lock_stamp=node_modules/.ashlar-lock
lock_sum=$(sha256sum package-lock.json package.json | sha256sum)
if [ "$(cat "$lock_stamp" 2>/dev/null)" != "$lock_sum" ]; then
  command -v npm >/dev/null || { say "npm is missing. Install Node.js 20 or later (Debian: apt-get install npm)."; exit 1; }
  say "Installing the packages of the lock file (once) ..."
  npm ci --no-audit --no-fund --loglevel=error >&2 || { say "npm ci failed; its message stands above."; exit 1; }
  printf '%s' "$lock_sum" >"$lock_stamp"
fi
PATH="$PWD/node_modules/.bin:$PATH"
export PATH

# The bundle, when a source is newer. dist itself is replaced by each build.
if [ ! -f dist/ashlar.js ] || [ -n "$(find src drivers rootwrap scripts/build.ts package.json -newer dist/ashlar.js -type f -print -quit 2>/dev/null)" ]; then
  say "Building ..."
  node scripts/build.ts || exit 1
fi

# need PROGRAM PACKAGE WHY: remembers a Debian package that is missing. The program decides, so that any source of it will do.
missing=
need() {
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 && return
  missing="$missing $2"
  say "$2 is missing: $3."
}
need_file() {
  [ -e "$1" ] && return
  missing="$missing $2"
  say "$2 is missing: $3."
}

# Installs what is missing when we may, else names the command. Services of the packages are not started: a tgtd of
# Debian's would listen on every address.
install_missing() {
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ] || [ ! -e /etc/debian_version ]; then
    say "Going on without. To install:  sudo apt-get install --no-install-recommends$missing"
    return 0
  fi
  say "Installing$missing ..."
  apt_log=$(mktemp)
  policy=/usr/sbin/policy-rc.d
  made_policy=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made_policy=1
  fi
  # shellcheck disable=SC2086
  if ! { DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing ||
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; }; } \
    >"$apt_log" 2>&1; then
    tail -n 5 "$apt_log" >&2
    say "apt-get could not install$missing; going on without."
  fi
  rm -f "$apt_log"
  [ -z "$made_policy" ] || rm -f "$policy"
}
