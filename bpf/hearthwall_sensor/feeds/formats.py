"""The formats of lists: a table of parsers, and finding out which one fits."""

import csv
import io
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO, Final

from ..protocol import SensorError
from .entries import Entries, NameHash

MAX_LINE: Final = 4096
_CHUNK: Final = 64 * 1024
#: A list can be made to take long, by names that are hard to spell in ASCII. In seconds of work.
MAX_SECONDS: Final = 40
#: As many lines as are tried to find out the format.
_SAMPLE_LINES: Final = 1000
_MAX_COLUMN: Final = 100
#: Addresses that a hosts file sends blocked names to.
_SINKS: Final = frozenset(("0.0.0.0", "127.0.0.1", "::", "::1", "0"))  # noqa: S104, nothing is bound

#: Reads lines without their ends; what it does not understand it gives to `invalid`.
Parser = Callable[[Iterable[str], Entries], None]


def _addresses(lines: Iterable[str], entries: Entries) -> None:
    """Read an address or a prefix per line, comments after # or ;."""
    for line in lines:
        text = line.partition("#")[0].partition(";")[0].strip()
        if text and not entries.prefix(text):
            entries.invalid.add(line)


def _counted(lines: Iterable[str], entries: Entries) -> None:
    """Read an address, blanks and a number per line."""
    for line in lines:
        words = line.partition("#")[0].split()
        if words and not (len(words) == 2 and words[1].isdecimal() and entries.prefix(words[0])):
            entries.invalid.add(line)


def _hosts(lines: Iterable[str], entries: Entries) -> None:
    """Read a hosts file: the names that are sent nowhere, each for itself."""
    for line in lines:
        words = line.partition("#")[0].split()
        if not words:
            continue
        understood = len(words) > 1 and words[0] in _SINKS
        for word in words[1:] if understood else ():
            # "0.0.0.0 0.0.0.0" stands in many of them
            understood = (word in _SINKS or entries.name(word, below=False)) and understood
        if not understood:
            entries.invalid.add(line)


def _domains(lines: Iterable[str], entries: Entries) -> None:
    """Read a domain per line, with or without `*.` or a dot before it: it and all below it."""
    for line in lines:
        text = line.partition("#")[0].strip()
        if not text or entries.prefix(text):  # some lists have both
            continue
        if not entries.name(text.removeprefix("*").removeprefix("."), below=True):
            entries.invalid.add(line)


def _adblock(lines: Iterable[str], entries: Entries) -> None:
    """Read the rules of an ad blocker's list that are plain domains: `||domain^`."""
    for line in lines:
        text = line.strip()
        if not text or text.startswith(("!", "#", "[")):
            continue
        if not (
            text.startswith("||") and text.endswith("^") and entries.name(text[2:-1], below=True)
        ):
            entries.invalid.add(line)


def _json(lines: Iterable[str], entries: Entries) -> None:
    """Read an object with `cidr` per line; one with `type` describes the list."""
    for line in lines:
        text = line.strip()
        if not text:
            continue
        try:
            wire = json.loads(text)
        except (ValueError, RecursionError):
            wire = None
        if not isinstance(wire, dict):
            entries.invalid.add(line)
            continue
        cidr = wire.get("cidr")
        if not (isinstance(cidr, str) and entries.prefix(cidr)) and "type" not in wire:
            entries.invalid.add(line)


def _csv(column: int) -> Parser:
    """Return the parser of one column, counted from 1, which holds prefixes or domains."""

    def parse(lines: Iterable[str], entries: Entries) -> None:
        for number, line in enumerate(lines):
            if not line or line.startswith("#"):
                continue
            # Line by line: a quotation mark that is never closed would swallow the rest
            try:
                cells = next(csv.reader((line,), skipinitialspace=True), [])
            except csv.Error:
                cells = []
            text = cells[column - 1].strip() if len(cells) >= column else ""
            known = bool(text) and (entries.prefix(text) or entries.name(text, below=True))
            if not known and number > 0:  # the first line may hold the columns' names
                entries.invalid.add(line)

    return parse


#: Name → parser, those that are tried for `auto` in the order in which a tie is decided. Beside them
#: `csv:N` reads column N.
FORMATS: Final[Mapping[str, Parser]] = {
    "addresses": _addresses,
    "counted": _counted,
    "hosts": _hosts,
    "domains": _domains,
    "adblock": _adblock,
    "json": _json,
}
AUTO: Final = "auto"


def parser(name: str) -> Parser:
    """Return a format's parser; raises SensorError `invalid_feed`."""
    if name in FORMATS:
        return FORMATS[name]
    kind, _, column = name.partition(":")
    if kind == "csv" and column.isascii() and column.isdigit() and len(column) < 4:
        number = int(column)
        if 1 <= number <= _MAX_COLUMN:
            return _csv(number)
    raise SensorError(
        "invalid_feed",
        f"{name[:40]!r} is no format: {AUTO}, {', '.join(FORMATS)} or csv:N (column N, from 1)",
    )


def detect(lines: list[str], digest: NameHash) -> str:
    """Return the format that understands most of these lines."""
    understood = {}
    for name, parse in FORMATS.items():
        tried = Entries(digest)
        parse(lines, tried)
        understood[name] = len(tried) + tried.refused.count - tried.invalid.count
        if len(tried) == 0:
            understood[name] -= len(lines)
    return max(understood, key=understood.__getitem__)


def read(file: BinaryIO, form: str, digest: NameHash) -> tuple[str, Entries]:
    """Read a list; return the format that it has and its entries, in order."""
    entries = Entries(digest)
    lines = _lines(file, entries)
    if form == AUTO:
        sample = list(itertools.islice(lines, _SAMPLE_LINES))
        form = detect(sample, digest)
        lines = itertools.chain(sample, lines)
    parser(form)(lines, entries)
    entries.sort()
    return form, entries


def _lines(file: BinaryIO, entries: Entries) -> Iterator[str]:
    """Yield the lines without their ends; one that is too long counts as invalid."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace")
    begun = time.process_time()
    rest, skipping = "", False
    while chunk := text.read(_CHUNK):
        if time.process_time() - begun > MAX_SECONDS:
            raise SensorError("feed_failed", f"the list takes more than {MAX_SECONDS} s to read")
        first, *lines = chunk.split("\n")
        if skipping and not lines:
            continue
        whole = [] if skipping else [rest + first]
        whole += lines
        rest, skipping = whole.pop(), False
        for line in whole:
            if len(line) > MAX_LINE:
                entries.invalid.add(line)
            else:
                yield line
        if len(rest) > MAX_LINE:
            entries.invalid.add(rest)
            rest, skipping = "", True
    if rest:
        yield rest
    text.detach()
