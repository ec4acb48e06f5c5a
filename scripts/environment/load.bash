# The environment of this repository's commands, for bash scripts to source: packages, Python, venvs.
# Each need_… function returns at once where its thing is there, else makes it, else ends the script with one sentence.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
environment=$root/scripts/environment

source "$environment/progress.bash"
source "$environment/packages.bash"
source "$environment/cache.bash"
source "$environment/uv.bash"
source "$environment/python314.bash"
source "$environment/debian_python.bash"
source "$environment/venv.bash"
source "$environment/rootfs.bash"
