# For the commands beside it to source: installs what is compared, and becomes the Python module of the command's name.
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/environment/load.bash"

export PYTHONPATH=$root:$root/bpf PYTHONDONTWRITEBYTECODE=1
if [[ " $* " != *" --help "* && " $* " != *" -h "* ]]; then
  ((EUID == 0)) || fail "Network namespaces and kernel programs need root: sudo bench/${0##*/}"
  need_packages base gateway lab bench >&2
fi
exec /usr/bin/python3 -P -m "bench.${0##*/}" "$@"
