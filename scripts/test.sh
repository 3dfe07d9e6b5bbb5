#!/bin/sh
# `npm test`: everything from a fresh clone to counts. Arguments name the test files to run instead of all.
# `npm run test:long`, which is --long, runs the whole kernel lane, the comparison with Cinder and the long outages as well.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh
need lvm lvm2 "tests of the LVM driver, on its real metadata"
need sudo sudo "the privileged helper, started by a user without rights"
need python3 python3 "a little syslog, for what the helper writes there"
need losetup mount "loop devices for them"
need tgtd tgt "tests with a real iSCSI target"
need qemu-io qemu-utils "an initiator that reads and writes through a target"
need_file /usr/lib/*/qemu/block-iscsi.so qemu-block-extra "that initiator's iSCSI part"
need iscsi-ls libiscsi-bin "an initiator that lists targets"
need openstack python3-openstackclient "OpenStack's client, unmodified, against the API"
need cinder python3-cinderclient "Cinder's client, unmodified, against the API"
. scripts/vm-needs.sh
need rabbitmq-server rabbitmq-server "the transport on a real RabbitMQ"
need_file /usr/lib/python3/dist-packages/oslo_messaging python3-oslo.messaging "an unmodified peer on it"
need openssl openssl "its certificates"
need cinder-api cinder-api "the real Cinder, in front of our volume service"
need cinder-scheduler cinder-scheduler "its scheduler"
need cinder-volume cinder-volume "its volume service, whose place ours takes"
if [ "${1:-}" = --long ]; then
  need nbdkit nbdkit "a disk that loses in a power cut what was not flushed"
fi
install_missing
exec node scripts/run-tests.ts "$@"
