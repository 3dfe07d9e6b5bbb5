#!/bin/sh
# Run by Vagrant as root in a fresh Debian 12: what `npm start` cannot bring itself, and an initiator to try it with.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends npm qemu-utils qemu-block-extra
echo "Ready: cd /opt/ashlar && sudo npm start"
