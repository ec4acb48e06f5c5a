"""Writes the captures to a folder, for people who want to point other tools at them."""

import argparse
import os
from pathlib import Path

from lab import Lab
from tests.captures.scenarios import CAPTURES, NETWORKS, write


def main() -> None:
    """Make the captures that the command line names."""
    names = "\n".join(f"  {name:12}{each.about}" for name, each in CAPTURES.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.captures",
        description=f"{__doc__} Needs root, and what scripts/test --setup-only installs.",
        epilog=f"captures:\n{names}\n\nWhat is home in them: {', '.join(NETWORKS)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these", default=[])
    options = parser.parse_args()
    for name in options.names:
        if name not in CAPTURES:
            parser.error(f"there is no capture {name}: choose from {', '.join(CAPTURES)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    lab = Lab(f"c{os.getpid()}")
    lab.up()
    try:
        for name in options.names or CAPTURES:
            print(write(lab, options.folder.resolve(), name), flush=True)
    finally:
        lab.down()


if __name__ == "__main__":
    main()
