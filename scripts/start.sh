#!/bin/sh
# `npm start`: everything from a fresh clone to a running node. Arguments go to `ashlar node`.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh
need lvm lvm2 "volumes on LVM, where the kernel has device-mapper"
# Thin volumes check their pool with it; without device-mapper there are none.
if grep -q device-mapper /proc/misc 2>/dev/null; then
  need thin_check thin-provisioning-tools "thin volumes on LVM"
fi
need tgtd tgt "exports volumes over iSCSI"
install_missing
exec node dist/ashlar.js node --state-dir "${ASHLAR_STATE_DIR:-$PWD/var}" "$@"
