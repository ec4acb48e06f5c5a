"""The command line: captures in, a table of agreements and differences out."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.capture_oracle import replayed
from tests.capture_oracle.comparison import CHECKS, RULES, compare
from tests.capture_oracle.errors import OracleError
from tests.capture_oracle.evidence import gather
from tests.capture_oracle.table import Compared, as_dict, show
from tests.capture_oracle.tshark import Tshark, tshark

EXIT_DIFFERENT: Final = 1
EXIT_ERROR: Final = 2

_ABOUT: Final = """\
Hold what `hearthwall-sensor replay` finds in captures against what tshark finds in them.
"""


def _legend() -> str:
    checks = "\n".join(f"  {name:30}{meaning}" for name, meaning in CHECKS.items())
    rules = "\n".join(f"  - {rule}" for rule in RULES)
    return (
        f"What is compared:\n{checks}\n\nBy these rules:\n{rules}\n\n"
        f"Exit status: 0 all agrees, {EXIT_DIFFERENT} something differs,"
        f" {EXIT_ERROR} there was nothing to compare (no file, no tshark)."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tests/oracle",
        description=_ABOUT,
        epilog=_legend(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+", help="pcap or pcapng")
    parser.add_argument(
        "--lan",
        metavar="CIDR",
        action="append",
        default=[],
        help="what is home, as for replay; may be given several times",
    )
    parser.add_argument(
        "--replayed",
        metavar="FILE",
        type=Path,
        help="compare this output of replay --json instead of running replay (one capture only)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--verbose", action="store_true", help="show agreements as well")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Compare and return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.replayed and len(options.files) > 1:
        parser.error("--replayed goes with one capture")
    try:
        with tshark() as oracle:
            compared = [_compare(oracle, file, options) for file in options.files]
            version = oracle.version()
    except OracleError as error:
        if options.json:
            print(json.dumps({"error": str(error)}))
        print(f"tests/oracle: {error}", file=sys.stderr)
        return EXIT_ERROR
    if options.json:
        print(json.dumps(as_dict(version, compared), indent=2))
    else:
        print(version)
        for each in compared:
            show(each, verbose=options.verbose)
    return EXIT_DIFFERENT if any(each.differences for each in compared) else 0


def _compare(oracle: Tshark, capture: Path, options: argparse.Namespace) -> Compared:
    """Compare one capture; raises OracleError."""
    if not capture.is_file():
        raise OracleError(f"{capture}: there is no such file")
    document = (
        replayed.load(options.replayed) if options.replayed else replayed.run(capture, options.lan)
    )
    found = replayed.read(document)
    evidence = gather(oracle, capture, found)
    return Compared(capture, tuple(compare(evidence, found)), evidence, found.counted)
