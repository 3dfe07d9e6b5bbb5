#!/bin/sh
# `npm run vm`: a shell in a VM with a real kernel. Arguments: a command to run in it instead.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh
. scripts/vm-needs.sh
install_missing
exec node scripts/vm.ts "$@"
