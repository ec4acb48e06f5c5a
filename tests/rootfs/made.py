"""The Debians that scripts/environment makes once: folders to enter, disks to boot."""

import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
#: Their names, and the versions of bcc and Python that they bring.
RELEASES = {"bookworm": ("0.26.0", (3, 11)), "trixie": ("0.31.0", (3, 13))}


def made(what: str, release: str) -> Path:
    """Return the folder of a `rootfs` or `machine`, made if it is not there."""
    script = 'source scripts/environment/load.bash; "need_$1" "$2" >&2; printf %s "$cached"'
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script, "made", what, release],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Path(done.stdout)


def packed(target: Path, version: str) -> Path:
    """Pack the release zip of a version, as the release does it."""
    line = [REPOSITORY / "scripts/package", "--output", target, "--version", version]
    subprocess.run(line, check=True, capture_output=True)
    return target
