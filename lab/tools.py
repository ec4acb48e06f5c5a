"""The system's tools that the lab runs: always by full path, always as a list of arguments."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lab.errors import LabError

#: Tool and the Debian package that has it.
PACKAGES: Final = {
    "ip": "iproute2",
    "nft": "nftables",
    "ethtool": "ethtool",
    "nsenter": "util-linux",
    "setsid": "util-linux",
    "sysctl": "procps",
    "openssl": "openssl",
    "curl": "curl",
}
FOLDERS: Final = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")

#: The interpreter for all that the lab starts: the one that Debian's aiohttp and dnslib are for.
PYTHON: Final = "/usr/bin/python3"
LAUNCHER: Final = Path(__file__).resolve().parent.parent / "scripts" / "lab"

#: Setting up an interface takes milliseconds; this is for a machine that is very busy.
TIMEOUT: Final = 20.0


def find(tool: str) -> str:
    """Full path of a tool, or the package that would bring it."""
    for folder in FOLDERS:
        path = f"{folder}/{tool}"
        if os.access(path, os.X_OK):
            return path
    raise LabError(f"{tool} is missing: run apt-get install {PACKAGES[tool]}")


def call(tool: str, *arguments: str, stdin: str = "", keep: Sequence[int] = ()) -> str:
    """Run a tool to its end and return what it prints; it inherits the descriptors to keep."""
    argv = [find(tool), *arguments]
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            pass_fds=keep,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{' '.join(argv)} took longer than {TIMEOUT:.0f} s") from None
    if done.returncode:
        raise LabError(
            f"{' '.join(argv)} failed: {done.stderr.strip() or f'exit code {done.returncode}'}"
        )
    return done.stdout


def lab_command(*arguments: str) -> list[str]:
    """Return the command line that runs `scripts/lab` with the system's Python."""
    return [PYTHON, "-I", str(LAUNCHER), *arguments]


def require_all() -> None:
    """Name every missing package at once, rather than one per attempt."""
    missing = {
        package
        for tool, package in PACKAGES.items()
        if not any(os.access(f"{f}/{tool}", os.X_OK) for f in FOLDERS)
    }
    if missing:
        raise LabError(f"tools are missing: run apt-get install {' '.join(sorted(missing))}")


def require_root(command: str) -> None:
    """Network namespaces are root's business."""
    if os.geteuid() != 0:
        raise LabError(f"scripts/lab {command} needs root: run sudo scripts/lab {command}")
