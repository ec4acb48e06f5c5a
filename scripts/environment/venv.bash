# Venvs on Python 3.14: one for tests, one that runs Home Assistant, which installs into its own as it likes.

# need_venv NAME REQUIREMENTS-FILE: sets `venv`
need_venv() {
  need_cached "venv-$1" "$(key_of "$python314" "$2")" make_venv "$2"
  venv=$cached
}

make_venv() {
  say "installing ${2#"$root/"}"
  quietly "A venv cannot be made in $1." run_uv venv --python "$python314" "$1"
  install_into "$1" -r "$2"
}

# install_into VENV ARGUMENT…
install_into() {
  local folder=$1
  shift
  quietly "The Python packages cannot be installed from PyPI; is it reachable, or a mirror named in pip's configuration?" \
    run_uv pip install --python "$folder/bin/python" "$@"
}

# What the demo sets up beside Home Assistant's own defaults, and hassio, of which one of these imports a name
# shellcheck disable=SC2034 # For those who source this
demo_integrations=(frontend history logbook recorder sensor switch binary_sensor device_tracker hassio)

# need_home_assistant VERSION INTEGRATION…: sets `venv` to one that runs this Home Assistant and holds what these
# integrations would install at the first start, and playwright to drive it
need_home_assistant() {
  need_cached venv-run "$(key_of "$python314" "$(pinned playwright)" "$@" "$environment/first_start.py")" \
    make_home_assistant "$@"
  venv=$cached
}

make_home_assistant() {
  local folder=$1 version=$2
  shift 2
  say "installing Home Assistant $version"
  quietly "A venv cannot be made in $folder." run_uv venv --python "$python314" "$folder"
  install_into "$folder" "homeassistant==$version" "$(pinned playwright)"
  "$folder/bin/python" "$environment/first_start.py" "$@" >"$folder/requirements.txt" ||
    fail "Home Assistant $version does not say what it installs; name another in HEARTHWALL_HOMEASSISTANT."
  install_into "$folder" -r "$folder/requirements.txt" \
    -c "$(echo "$folder"/lib/python*/site-packages/homeassistant/package_constraints.txt)"
}

# pinned NAME: its line in requirements_test.txt
pinned() {
  grep -m 1 "^$1==" "$root/requirements_test.txt"
}
