# What a person sees: numbered steps with the seconds so far, and one sentence where something cannot be had.

say() {
  printf '            %s\n' "$*"
}

fail() {
  printf '\n%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# run_steps LABEL FUNCTION [LABEL FUNCTION …]: one after the other, in this shell. Set `more_steps` to how many
# another program adds
run_steps() {
  local number=0 total=$(($# / 2 + ${more_steps:-0}))
  while (($#)); do
    number=$((number + 1))
    printf '[%d/%d %4d s] %s\n' "$number" "$total" "$SECONDS" "$1"
    "$2"
    shift 2
  done
}

# quietly SENTENCE COMMAND…: COMMAND's output is shown only where it fails, its end, before the sentence
quietly() {
  local sentence=$1 output
  shift
  output=$("$@" 2>&1) && return
  show_end "$output"
  fail "$sentence"
}

show_end() {
  tail -n 15 <<<"$1" | sed 's/^/  | /' >&2
}
