# Debian 12 and 13 as folders, with what the README has people install, for the tests that enter them; and disks with
# Debian's own kernel, for the tests that boot them. From the machine's own mirror; nothing of the system is changed.

# What a minimal Debian lacks that every gateway has
rootfs_packages=(ca-certificates iproute2 sudo systemd)
# Of what the README's first command installs, what is not the sensor's
rootfs_tools=(curl unzip)
# What makes a machine of it: a kernel that knows virtio, and what the tests' home is built with
machine_packages=(linux-image-cloud-amd64 systemd-sysv dbus udev kmod iputils-ping procps)
machine_size=2G
# What takes an emulated processor long and is of no use here
machine_without=(apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
  fstrim.timer getty.target)
machine_files=$root/tests/machines/guest

# need_rootfs RELEASE: sets `cached` to a folder whose `root` is that Debian
need_rootfs() {
  need_cached "rootfs-$1" "$(key_of "$environment/rootfs.bash" "$(packages_of gateway)")" make_rootfs "$1"
}

# need_machine RELEASE: sets `cached` to a folder with `disk`, `kernel` and `initrd`
need_machine() {
  need_cached "machine-$1" "$(key_of "$environment/rootfs.bash" "$(packages_of gateway)" "$machine_files"/*)" \
    make_machine "$1"
}

make_rootfs() {
  local wanted
  mapfile -t wanted < <(packages_of gateway)
  say "putting together Debian $2"
  unpack_debian "$2" "$1/root" "${rootfs_packages[@]}" "${rootfs_tools[@]}" "${wanted[@]}"
}

make_machine() {
  local folder=$1 wanted
  mapfile -t wanted < <(packages_of gateway)
  say "putting together Debian $2 with its kernel"
  unpack_debian "$2" "$folder/root" \
    "${rootfs_packages[@]}" "${rootfs_tools[@]}" "${wanted[@]}" "${machine_packages[@]}"
  cp "$folder"/root/boot/vmlinuz-* "$folder/kernel"
  cp "$folder"/root/boot/initrd.img-* "$folder/initrd"
  cp "$machine_files"/* "$folder/root/usr/local/sbin/"
  mv "$folder"/root/usr/local/sbin/*.service "$folder/root/usr/lib/systemd/system/"
  quietly "The units of Debian $2's machine cannot be enabled." \
    systemctl --root="$folder/root" enable tests-home.service tests-agent.service
  quietly "The units that nobody needs in Debian $2's machine cannot be masked." \
    systemctl --root="$folder/root" mask "${machine_without[@]}"
  truncate --size "$machine_size" "$folder/disk"
  quietly "A disk cannot be made of Debian $2." mke2fs -q -t ext4 -d "$folder/root" "$folder/disk"
  rm -rf -- "$folder/root"
}

# unpack_debian RELEASE FOLDER PACKAGE…: from the first of the machine's mirrors that has that release
unpack_debian() {
  local release=$1 folder=$2 mirror output="apt names no mirror"
  shift 2
  for mirror in $(debian_mirrors); do
    rm -rf -- "$folder"
    output=$(mmdebstrap --quiet --variant=minbase --include="$(paste -sd , < <(printf '%s\n' "$@"))" \
      --keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$release" "$folder" "$mirror" 2>&1) && return
  done
  show_end "$output"
  fail "No mirror of this machine gives a Debian $release; is one reachable?"
}
