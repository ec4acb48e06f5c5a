"""Writes a home's weeks as a capture: python3 -m lab.week [--seed N] [--days N] [FILE]."""

import argparse
import sys
import time
from pathlib import Path

from lab.week import wire
from lab.week.life import Life
from lab.week.weeks import records


def main() -> int:
    """Write the capture, to standard output where no file is named."""
    parser = argparse.ArgumentParser(prog="python3 -m lab.week", description=__doc__)
    parser.add_argument("file", nargs="?", metavar="FILE", help="- or none for standard output")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same weeks")
    parser.add_argument("--days", type=int, default=14, help="so many days (default: 14)")
    options = parser.parse_args()
    begun = time.monotonic()
    life = Life(options.seed, (options.days + 6) // 7)
    is_piped = options.file in (None, "-")
    with sys.stdout.buffer if is_piped else Path(options.file).open("wb") as file:
        file.write(wire.HEADER)
        count = 0
        for day in records(life, options.days):
            file.write(b"".join(wire.packed(day)))
            count += len(day)
    print(f"{count} packets in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
