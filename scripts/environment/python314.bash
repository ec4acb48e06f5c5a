# A Python that Home Assistant runs on.

python_wanted='>=3.14.2,<3.15'

# Where from, in this order. HEARTHWALL_PYTHON_FROM narrows it, to try one
python_sources='installed uv debian'

# need_python314: sets `python314`
need_python314() {
  local source sources=${HEARTHWALL_PYTHON_FROM:-$python_sources}
  need_uv
  for source in $sources; do
    python314=
    "python_from_$source"
    [[ -z $python314 ]] || return 0
  done
  fail "No Python $python_wanted could be had from: $sources. Install python3.14 and run this again."
}

# The system's, one that uv installed, or the one that an earlier run took from Debian
python_from_installed() {
  python314=$(run_uv python find --system --no-python-downloads "$python_wanted" 2>/dev/null) ||
    python314=$(compgen -G "$cache/debian-python-$(debian_python_key)/.complete") ||
    return 0
  python314=${python314/%.complete/usr/bin/python3.14}
}

python_from_uv() {
  say "uv python install 3.14"
  if run_uv python install --no-bin 3.14 >/dev/null 2>&1; then
    python314=$(run_uv python find --managed-python --no-python-downloads "$python_wanted" 2>/dev/null) || python314=
  else
    say "not to be had without the internet"
  fi
}

python_from_debian() {
  need_cached debian-python "$(debian_python_key)" make_debian_python
  python314=$cached/usr/bin/python3.14
}
