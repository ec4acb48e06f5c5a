"""The Debians that scripts/environment makes once: folders to enter."""

import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
#: Their names, and the versions of bcc and Python that they bring.
RELEASES = {"bookworm": ("0.26.0", (3, 11)), "trixie": ("0.31.0", (3, 13))}


def made(release: str) -> Path:
    """Return the root file system of a release, made if it is not there."""
    script = 'source scripts/environment/load.bash; need_rootfs "$1" >&2; printf %s "$cached"'
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script, "made", release],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Path(done.stdout, "root")


def packed(target: Path, version: str) -> Path:
    """Pack the release zip of a version, as the release does it."""
    line = [REPOSITORY / "scripts/package", "--output", target, "--version", version]
    subprocess.run(line, check=True, capture_output=True)
    return target
