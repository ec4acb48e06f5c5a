# What is made once and kept: a folder of the cache per name and hash of its inputs.

cache=${HEARTHWALL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hearthwall}

# Days after which a folder is removed that nobody has asked for
cache_days=14

# key_of WORD-OR-FILE…: a hash of the words and the files' contents
key_of() {
  local input
  for input in "$@"; do
    if [[ -f $input ]]; then cat "$input"; else printf '%s\n' "$input"; fi
  done | sha256sum | cut -c 1-12
}

# need_cached NAME KEY MAKE [ARGUMENT…]: sets `cached` to the folder NAME-KEY. Where it is missing, or was left
# half made by a crash, MAKE FOLDER ARGUMENT… fills it, while another run that wants the same waits.
need_cached() {
  local name=$1 folder=$cache/$1-$2 make=$3 lock
  shift 3
  if [[ ! -e $folder/.complete ]]; then
    mkdir -p "$cache" 2>/dev/null || fail "The cache folder $cache cannot be made; name another in HEARTHWALL_CACHE."
    exec {lock}>"$cache/$name.lock"
    flock --nonblock "$lock" || {
      say "waiting for another run that makes the same"
      flock "$lock"
    }
    if [[ ! -e $folder/.complete ]]; then
      rm -rf -- "$folder"
      mkdir "$folder"
      "$make" "$folder" "$@"
    fi
    touch "$folder/.complete"
    exec {lock}>&-
    remove_unused "$name"
  fi
  # The time of the last use. Another user's cache can be used, too, but not marked
  [[ ! -O $folder ]] || touch "$folder/.complete"
  cached=$folder
}

# remove_unused NAME: the folders of NAME, whatever their key, that nobody asked for lately
remove_unused() {
  find "$cache" -mindepth 2 -maxdepth 2 -path "$cache/$1-????????????/.complete" -mtime "+$cache_days" -printf '%h\0' |
    xargs -0 --no-run-if-empty rm -rf --
}
