# Debian 12 and 13 as folders, with what the README has people install, for the tests that enter them.
# From the machine's own mirror; nothing of the system is changed.

# What a minimal Debian lacks that every gateway has
rootfs_packages=(ca-certificates iproute2 sudo systemd)
# Of what the README's first command installs, what is not the sensor's
rootfs_tools=(curl unzip)

# need_rootfs RELEASE: sets `cached` to a folder whose `root` is that Debian
need_rootfs() {
  need_cached "rootfs-$1" "$(key_of "$environment/rootfs.bash" "$(packages_of gateway)")" make_rootfs "$1"
}

make_rootfs() {
  local wanted
  mapfile -t wanted < <(packages_of gateway)
  say "putting together Debian $2"
  unpack_debian "$2" "$1/root" "${rootfs_packages[@]}" "${rootfs_tools[@]}" "${wanted[@]}"
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
