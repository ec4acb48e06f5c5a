"""A measurement that is made of parts: its command line, and each part in a workplace of its own."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from bench.figures import Figure, load, show
from bench.network import workplace

_Effort = TypeVar("_Effort")


def measure(
    name: str,
    purpose: str | None,
    parts: Mapping[str, Callable[[Path, _Effort], list[Figure]]],
    full: _Effort,
    quick: _Effort,
) -> int:
    """Measure what the command line asks for, all parts by default, and print it; return the exit status."""
    parser = argparse.ArgumentParser(prog=f"bench/{name}", description=purpose)
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument(
        "--part", choices=parts, action="append", help="measure only this (repeatable)"
    )
    options = parser.parse_args()
    effort = quick if options.quick else full
    figures = [load("before")]
    for each in options.part or parts:
        with workplace() as folder:
            figures += parts[each](folder, effort)
    figures.append(load("after"))
    print(show(figures, as_json=options.json))
    return 0
