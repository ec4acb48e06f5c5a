"""What the short-lived child does: fetch lists, read and clean them, merge all, and put them in force.

Its job comes as one line of JSON on standard input. When the tables are filled it prints `{"loaded": N}`,
and goes on when it gets a line: then its parent has made the programs use pair N. Its report is the
last thing that it prints. So only this process ever holds a list, and only it reads what strangers wrote.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..kernel import held
from ..kernel.layouts import TABLES
from ..kernel.libbpf import Map
from ..kernel.prefixes import Prefixes
from ..protocol import SensorError
from . import copies, domains_file, fetch, formats, hygiene
from .copies import Copy
from .entries import MAX_EXAMPLES, Entries, Examples, name_hash
from .merge import merge

DOMAINS_FILE: Final = "domains.bin"
#: Bounds of the child, should its own fail.
_MEMORY: Final = 1024 * 1024 * 1024
_CPU_SECONDS: Final = 180
#: So many lists are fetched at once: one server that hangs does not keep all others waiting.
_AT_ONCE: Final = 4
#: A list of which less than this part can be used is none.
_USEFUL: Final = 0.1


@dataclass(slots=True)
class _Feed:
    """One feed of the job, and what becomes of it."""

    name: str
    slot: int
    source: str
    format: str
    header_file: str | None
    wanted: bool
    copy: Copy | None = None
    #: The copy on disk, once a new list has taken its place.
    before: Copy | None = None
    fresh: bool = False
    addresses: int = 0
    subtracted: Examples | None = None
    error: dict[str, str] | None = None


def gather(job: Mapping[str, Any], switch: Callable[[int], None]) -> dict[str, Any]:
    """Do one job; switch makes the kernel's programs use another pair of tries. Raises SensorError."""
    folder, key = Path(job["folder"]), bytes.fromhex(job["key"])
    feeds = [_Feed(**each) for each in job["feeds"]]
    for each in feeds:
        _read_copy(each, folder, key)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        fetched = pool.map(_fetch, (each for each in feeds if each.wanted))
        for each, body in zip([each for each in feeds if each.wanted], fetched, strict=True):
            _take(each, body, key)
    times: dict[str, float] = {}
    reload = job["reload"] or any(each.fresh for each in feeds)
    if reload:
        started = time.monotonic()
        _put_in_force_what_fits(feeds, job, switch)
        times["load_ms"] = round((time.monotonic() - started) * 1e3)
        _keep(feeds, folder, key)
    return {
        "reloaded": reload,
        "feeds": {each.name: _report(each, reloaded=reload) for each in feeds},
        **times,
    }


def _read_copy(feed: _Feed, folder: Path, key: bytes) -> None:
    """Bring the entries that are on disk, if they are of the list that is ordered."""

    def on_damage(text: str) -> None:
        feed.error = SensorError("feed_failed", text).to_wire()

    kept = copies.read(copy_path(folder, feed.name), key, on_damage)
    if kept is not None and (kept.source, kept.ordered_format) == (feed.source, feed.format):
        feed.copy = kept


def _fetch(feed: _Feed) -> fetch.Fetched | SensorError | None:
    """Return a feed's new list, None if it has not changed, or why it could not be had."""
    validators = {} if feed.copy is None else feed.copy.validators
    try:
        return fetch.fetch(feed.source, feed.header_file, validators)
    except SensorError as error:
        return error


def _take(feed: _Feed, fetched: fetch.Fetched | SensorError | None, key: bytes) -> None:
    """Read a new list into a feed, or note what is wrong with it."""
    feed.error = None
    try:
        if isinstance(fetched, fetch.Fetched):
            feed.before, feed.copy, feed.fresh = feed.copy, _parse(feed, fetched, key), True
    except SensorError as error:
        fetched = error
    except MemoryError:
        fetched = SensorError("feed_failed", "the list takes too much memory: choose a smaller one")
    if fetched is None and feed.copy is None:
        fetched = SensorError(
            "feed_failed", "the server says that nothing has changed, but never sent the list"
        )
    if isinstance(fetched, SensorError):
        feed.error = fetched.to_wire()


def _parse(feed: _Feed, fetched: fetch.Fetched, key: bytes) -> Copy:
    """Return a new list's entries; raises SensorError."""
    form, entries = formats.read(fetched.body, feed.format, name_hash(key))
    useless = entries.invalid.count + entries.refused.count
    if useless and len(entries) < (len(entries) + useless) * _USEFUL:
        shown = entries.invalid.shown + entries.refused.shown
        examples = shown if fetched.may_be_quoted else []
        such = f" (such as {examples[0]!r})" if examples else ""
        raise SensorError(
            "feed_failed",
            f"read as {form}, hardly a line{such} can be used: name the --format, or another list",
        )
    if not fetched.may_be_quoted:
        entries.invalid.shown.clear()
        entries.refused.shown.clear()
    return Copy(feed.source, feed.format, form, entries, fetched.validators, time.time())


def _put_in_force_what_fits(
    feeds: Sequence[_Feed], job: Mapping[str, Any], switch: Callable[[int], None]
) -> None:
    """Put all lists in force, without the largest new one where there is not room for all; raises SensorError."""
    while True:
        try:
            _put_in_force(feeds, job, switch)
        except MemoryError:
            error = SensorError("table_full", "the feeds take too much memory together")
        except SensorError as refused:
            error = refused
        else:
            return
        fresh = [each for each in feeds if each.fresh]
        if error.code != "table_full" or not fresh:
            raise error
        largest = max(fresh, key=lambda each: 0 if each.copy is None else len(each.copy.entries))
        largest.copy, largest.fresh, largest.error = largest.before, False, error.to_wire()


def _put_in_force(
    feeds: Sequence[_Feed], job: Mapping[str, Any], switch: Callable[[int], None]
) -> None:
    """Clean and merge all lists and put them into the kernel; raises SensorError, and then all is as it was."""
    held = [(each, each.copy.entries) for each in feeds if each.copy is not None]
    ipv4, ipv6 = [], []
    for feed, entries in held:
        *both, feed.subtracted = hygiene.subtract(entries, job["protected"])
        ipv4.append((feed.slot, both[0]))
        ipv6.append((feed.slot, both[1]))
        feed.addresses = len(both[0]) + len(both[1])
    try:
        domains_file.write(
            Path(job["folder"]) / DOMAINS_FILE,
            bytes.fromhex(job["key"]),
            ((feed.slot, entries.names) for feed, entries in held),
        )
    except OSError as error:
        raise SensorError(
            "storage_failed", f"the feeds' domains can't be written: {error.strerror}"
        ) from error
    Prefixes(_tables(job["pins"])).replace(
        merge(ipv4, 32), merge(ipv6, 128), job["in_force"], switch
    )


def _tables(directory: str) -> Callable[[str], Map]:
    """Return what opens the tables that are pinned in a folder."""

    def table(name: str) -> Map:
        key, value, _ = TABLES[name]
        opened: Map = Map.pinned(f"{directory}/{name}", key, value)
        return opened

    return table


def _keep(feeds: Sequence[_Feed], folder: Path, key: bytes) -> None:
    """Write the new lists to disk, now that they are in force."""
    for each in feeds:
        if each.copy is None or not each.fresh:
            continue
        try:
            copies.write(copy_path(folder, each.name), each.copy, key)
        except OSError as error:
            each.error = SensorError(
                "storage_failed",
                f"the list is in force, but can't be kept on disk: {error.strerror}",
            ).to_wire()


def copy_path(folder: Path, name: str) -> Path:
    """Return where a feed's last good copy is kept."""
    return folder / f"{name}.feed"


def _report(feed: _Feed, *, reloaded: bool) -> dict[str, Any]:
    """Return what the sensor has to know of a feed."""
    report: dict[str, Any] = {"error": feed.error}
    if not reloaded:
        return report
    subtracted = feed.subtracted or Examples()
    entries = Entries(name_hash(b"")) if feed.copy is None else feed.copy.entries
    return report | {
        "found_format": None if feed.copy is None else feed.copy.format,
        "addresses": feed.addresses,
        "domains": len(entries.names),
        "invalid": entries.invalid.count,
        "invalid_examples": entries.invalid.shown,
        "subtracted": entries.refused.count + subtracted.count,
        "subtracted_examples": (subtracted.shown + entries.refused.shown)[:MAX_EXAMPLES],
        "updated": None if feed.copy is None else feed.copy.updated,
    }


def run() -> dict[str, Any]:
    """Do the job of standard input; return the report."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    job = json.loads(sys.stdin.readline())
    held.inherit(job["held"])

    def switch(which: int) -> None:
        print(json.dumps({"loaded": which}), flush=True)
        if not sys.stdin.readline():  # the sensor has gone, and the programs use what they used
            os._exit(1)

    return gather(job, switch)
