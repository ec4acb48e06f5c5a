# Python 3.14 for a Debian that does not have it yet: from the next release on the machine's own mirror,
# unpacked into a folder, with its own C library. Nothing of the system is changed.

debian_python_release=forky
# Python's compiled packages from PyPI want the C++ library, too
debian_python_packages=(python3.14 libstdc++6 libgcc-s1)

debian_python_key() {
  key_of "$environment/debian_python.bash"
}

make_debian_python() {
  local folder=$1
  say "taking Python 3.14 from Debian $debian_python_release"
  mkdir "$folder/apt"
  download_debian_python "$folder/apt"
  unpack_debian_python "$folder" "$folder/apt"
  rm -rf -- "$folder/apt"
  quietly "Python 3.14 from Debian $debian_python_release does not run here; install python3.14 or give uv the internet." \
    "$folder/usr/bin/python3.14" -c \
    'import bz2, ctypes, lzma, readline, sqlite3, ssl, sys, zlib; assert sys.version_info >= (3, 14, 2), sys.version'
}

# download_debian_python FOLDER: the packages and all that they depend on, by an apt that knows of no installed
# package and touches none of the system's state
download_debian_python() {
  local apt=$1 mirror found= output="apt names no mirror"
  local options=(
    -o "Dir::State=$apt" -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt"
    -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
    -o APT::Default-Release= -o APT::Sandbox::User=root
  )
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  touch "$apt/status"
  for mirror in $(debian_mirrors); do
    printf 'deb [signed-by=%s] %s %s main\n' /usr/share/keyrings/debian-archive-keyring.gpg \
      "$mirror" "$debian_python_release" >"$apt/sources.list"
    if output=$(apt-get "${options[@]}" -o APT::Update::Error-Mode=any -q update 2>&1); then
      found=$mirror
      break
    fi
  done
  [[ $found ]] || {
    show_end "$output"
    fail "No mirror of this machine has a usable Debian $debian_python_release; install python3.14 or give uv the internet."
  }
  quietly "Python 3.14 cannot be had from Debian $debian_python_release at $found; install it or give uv the internet." \
    apt-get "${options[@]}" -y -q --no-install-recommends --download-only install "${debian_python_packages[@]}"
  # Only its headers are wanted, which a few source packages compile against, not the C library's that it depends on
  quietly "Python 3.14's headers cannot be had from Debian $debian_python_release." \
    env --chdir "$apt/archives" apt-get "${options[@]}" -q download libpython3.14-dev
}

debian_mirrors() {
  # shellcheck disable=SC2016 # apt's own variable
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u
}

unpack_debian_python() {
  local folder=$1 package directory
  for directory in bin lib lib64 sbin; do
    mkdir -p "$folder/usr/$directory"
    ln -s "usr/$directory" "$folder/$directory"
  done
  for package in "$2"/archives/*.deb; do
    quietly "${package##*/} cannot be unpacked into $folder; is the disk full?" dpkg-deb -x "$package" "$folder"
  done
  # The stub in its place looks for the real one below /usr/include
  cp "$folder"/usr/include/*-linux-gnu*/python3.14/pyconfig.h "$folder/usr/include/python3.14/pyconfig.h"
  # The old kind of rpath, since the libraries of PyPI's packages must find this C library, not the system's
  local program=$folder/usr/bin/python3.14 libraries=("$folder"/usr/lib/*-linux-gnu*)
  quietly "Python 3.14 from Debian cannot be told where its C library lies." \
    "$tools/patchelf" --set-interpreter "$folder$("$tools/patchelf" --print-interpreter "$program")" \
    --force-rpath --set-rpath "${libraries[0]}" "$program"
}
