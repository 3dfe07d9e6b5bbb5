#!/bin/sh
# mmdebstrap's hook: unpacks the kernel that META stands for, with the new system's package lists, to WORK/kernel.
set -eu
work=$1 meta=$2
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
package=$(apt-cache depends "$meta" | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
[ -n "$package" ] || { echo "no kernel behind $meta" >&2; exit 1; }
mkdir "$work/download" "$work/kernel"
cd "$work/download"
apt-get -q -q -o APT::Sandbox::User=root download "$package"
dpkg-deb -x "$package"_*.deb "$work/kernel"
rm -rf "$work/download"
