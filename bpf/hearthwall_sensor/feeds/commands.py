"""What the command line takes to order a feed."""

import argparse

from ..requests import AddFeed
from ..targets import parse_duration
from . import formats
from .source import HEADER_SUFFIX


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `feed` takes."""
    name_argument(parser)
    parser.add_argument(
        "source", metavar="SOURCE", help="a file's whole path, or an http:// or https:// address"
    )
    parser.add_argument(
        "--action",
        choices=("audit", "drop"),
        default="audit",
        help="drop what the list names, or only count it (the default)",
    )
    parser.add_argument(
        "--format",
        default=formats.AUTO,
        metavar="FORMAT",
        help=f"{formats.AUTO} (the default), {', '.join(formats.FORMATS)}, or csv:N for column N",
    )
    parser.add_argument(
        "--interval",
        metavar="TIME",
        type=parse_duration,
        default=86400.0,
        help="how often to look at the list, such as 6h or 7d (default 24h)",
    )
    parser.add_argument(
        "--header-file",
        metavar="FILE",
        help=f"send the header in this file along: root's alone, its name ends in {HEADER_SUFFIX}",
    )


def name_argument(parser: argparse.ArgumentParser) -> None:
    """Declare a feed's name."""
    parser.add_argument("name", metavar="NAME", help="the feed's name: a-z, 0-9, - and _")


def order(options: argparse.Namespace) -> AddFeed:
    """Return the order that `feed` gives."""
    return AddFeed(
        name=options.name,
        source=options.source,
        format=options.format,
        action=options.action,
        interval=options.interval,
        header_file=options.header_file,
    )
