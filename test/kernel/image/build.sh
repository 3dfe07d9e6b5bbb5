#!/bin/sh
# Makes the VM's disk from Debian's packages: `build.sh OUTPUT NODE AGENT` writes root.img, vmlinuz, initrd to OUTPUT.
# NODE is the Node.js binary that the guest gets, AGENT the agent.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1 node=$2 agent=$3
kernel_package=linux-image-cloud-amd64
# Where the root file system keeps everything, the sparse file of a volume group included. It is a sparse file itself.
disk_size=32G

work=$(mktemp -d "$out/build.XXXXXX")
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT INT TERM

# The machine's own sources: whatever mirror it is set up with.
for sources in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
  [ -s "$sources" ] && break
done
mmdebstrap --quiet --variant=minbase --include="$(paste -sd, "$here/packages")" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io \
  --aptopt='Acquire::Retries "3"' \
  --customize-hook="'$here/fetch-kernel.sh' '$work' $kernel_package" \
  bookworm "$work/root" "$sources"

root=$work/root
release=$(ls "$work/kernel/lib/modules")
cp -a "$work/kernel/lib/modules" "$root/usr/lib/"
# Nothing here has a screen, a sound card or a radio.
rm -rf "$root/usr/lib/modules/$release/kernel/sound" "$root/usr/lib/modules/$release/kernel/drivers/gpu"
depmod --basedir "$root/usr" "$release" 2>/dev/null || chroot "$root" depmod "$release"
install -m 755 "$node" "$root/usr/local/bin/node"
install -D -m 755 "$here/init" "$root/usr/local/lib/ashlar/init"
install -m 644 "$agent" "$root/usr/local/lib/ashlar/agent.mts"
ln -s /opt/ashlar/dist/ashlar.js "$root/usr/local/bin/ashlar"
mkdir -p "$root/opt/ashlar"
echo ashlar-vm >"$root/etc/hostname"
printf '127.0.0.1 localhost ashlar-vm\n::1 localhost\n' >"$root/etc/hosts"
printf 'nameserver 10.0.2.3\n' >"$root/etc/resolv.conf"
cp "$here/lvm.conf" "$root/etc/lvm/lvm.conf"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*

# The initramfs only has to find the disk.
early=$work/early
mkdir -p "$early/bin" "$early/dev" "$early/proc" "$early/sys" "$early/root" "$early/modules"
cp "$root/bin/busybox" "$early/bin/busybox"
modprobe --dirname "$root/usr" --set-version "$release" --show-depends --all virtio_pci virtio_blk ext4 crc32c_generic \
  | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' >"$work/modules"
while read -r module; do
  cp "$module" "$early/modules/"
  basename "$module"
done <"$work/modules" >"$early/modules/order"
install -m 755 "$here/early-init" "$early/init"
(cd "$early" && find . | cpio --quiet --create --format=newc --owner=0:0) | gzip -1 >"$work/initrd"

mke2fs -q -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1 -d "$root" "$work/root.img" "$disk_size"
cp "$work/kernel/boot/vmlinuz-$release" "$work/vmlinuz"
mv "$work/root.img" "$work/vmlinuz" "$work/initrd" "$out/"
