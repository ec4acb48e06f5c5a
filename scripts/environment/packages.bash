# Debian packages, from the table beside this file; apt runs only where one is missing.

# packages_of GROUP…: the table's names in these groups
packages_of() {
  awk -v groups="$*" 'BEGIN { split(groups, list); for (i in list) wanted[list[i]] } $1 in wanted { print $2 }' \
    "$environment/packages"
}

# need_packages GROUP…
need_packages() {
  local wanted missing
  mapfile -t wanted < <(packages_of "$@")
  command -v dpkg-query apt-get >/dev/null ||
    fail "Debian's apt is not here; this needs Debian 12 or 13, with ${wanted[*]}."
  mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort) <(installed_packages "${wanted[@]}" | sort))
  ((${#missing[@]})) || return 0

  say "apt-get install ${missing[*]}"
  ((EUID == 0)) ||
    fail "Packages are missing and installing them needs root:" \
      "sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
  # A stranger's broken repository is no reason to stop: the install tells whether ours are to be had
  apt-get update -qq >/dev/null 2>&1 || say "apt-get update was not wholly successful"
  quietly "apt cannot install ${missing[*]}; is the Debian mirror of this machine reachable?" \
    env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "${missing[@]}"
}

installed_packages() {
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p'
}
