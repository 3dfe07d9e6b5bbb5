# Sourced after setup.sh: what a VM with a real kernel is made with (test/kernel).
need qemu-system-x86_64 qemu-system-x86 "a VM with a real kernel"
need qemu-img qemu-utils "that VM's disks"
need mmdebstrap mmdebstrap "that VM's image, made from Debian's packages"
need cpio cpio "what that VM boots from"
