#!/bin/bash
# A host whose first process is a real systemd, in namespaces of its own; of this machine it changes nothing.
# What an installation touches, by hand or by dpkg, is an overlay, bpffs is empty, and its cgroups are below one that
# the caller removes.
#
#   systemd_host.bash NAME    in the network namespace that it is to have; ends when it is killed
set -euo pipefail

hierarchies() { # where cgroups are mounted that systemd uses, each with its options
  while read -r _ place kind options _; do
    case "$kind $options" in
      "cgroup2 "*) echo "$place cgroup2 rw" ;;
      "cgroup "*name=systemd*) echo "$place cgroup none,name=systemd,xattr" ;;
      "cgroup "*,memory*) echo "$place cgroup memory" ;;
      "cgroup "*,pids*) echo "$place cgroup pids" ;;
    esac
  done </proc/self/mounts
}

if [[ $1 != --inside ]]; then
  while read -r place _; do
    mkdir -p "$place/$1"
    echo $$ >"$place/$1/cgroup.procs"
  done < <(hierarchies)
  exec setpriv --pdeathsig KILL unshare --kill-child --mount --pid --fork --ipc --uts --cgroup --propagation private "$0" --inside
fi

mapfile -t mounts < <(hierarchies)
# There is none where no namespace was ever named
umount --recursive --lazy /run/netns 2>/dev/null || true
over=$(mktemp -d)
mount -t tmpfs over "$over"
for each in usr etc var root opt; do
  mkdir -p "$over/$each/upper" "$over/$each/work"
  mount -t overlay over -o "lowerdir=/$each,upperdir=$over/$each/upper,workdir=$over/$each/work" "/$each"
done
mount -t proc proc /proc
mount -t sysfs sysfs /sys
[[ ${mounts[*]} == */sys/fs/cgroup\ * ]] || mount -t tmpfs -o mode=755 cgroups /sys/fs/cgroup
for each in "${mounts[@]}"; do
  read -r place kind options <<<"$each"
  mkdir -p "$place"
  mount -t "$kind" -o "$options" "$kind" "$place"
done
mount -t bpf -o mode=0700 bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mount -t tmpfs -o mode=755 run /run
find /etc/systemd/system -name '*.wants' -prune -exec rm -r {} +
# /tmp is this machine's, where the programs to be installed are; at a boot it would be emptied.
for each in setup setup-dev clean; do
  ln -s /dev/null "/etc/systemd/system/systemd-tmpfiles-$each.service"
done
rm -rf /var/lib/hearthwall /var/cache/hearthwall /var/log/journal
cat >/etc/systemd/system/tested.target <<'UNIT'
[Unit]
Description=Nothing but a journal
DefaultDependencies=no
Wants=systemd-journald.service
UNIT
exec env -i container=tested PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --unit=tested.target --log-target=journal --show-status=no
