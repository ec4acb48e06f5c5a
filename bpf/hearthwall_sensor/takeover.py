"""Taking over from programs of another version: what they counted and learnt must not be lost."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from .kernel import process_tables
from .kernel.layouts import FEED_SLOTS, Counters, Entry
from .kernel.process_rules import slot_counters
from .kernel.tables import Tables
from .parts import Parts
from .rules.enforcement import all_counters


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Tables | None]:
    """Open the tables of an earlier version, None where they are not what this one knows."""
    try:
        tables = Tables(str(folder))
    except OSError:
        yield None
        return
    try:
        yield tables
    finally:
        tables.close()


async def restore(parts: Parts, earlier: list[Path], interfaces: Mapping[str, int]) -> None:
    """Put rules and feeds back from disk, with what earlier versions' programs have counted for them."""
    counters: dict[int, Counters] = {}
    feeds: dict[int, Entry] = {}
    for folder in earlier:
        with opened(folder) as tables:
            if tables is not None:
                counters |= all_counters(tables)
                feeds |= {
                    slot: entry
                    for slot in range(FEED_SLOTS)
                    if (entry := tables.list_rule(slot)) is not None
                }
        if (of_processes := process_tables.opened(str(folder))) is not None:
            counters |= slot_counters(of_processes)
            of_processes.close()
    parts.rules.interfaces_changed(interfaces)
    parts.rules.restore(counters)
    await parts.feeds.start(feeds)


def take_names(parts: Parts, earlier: list[Path]) -> None:
    """Take over the addresses that earlier versions learnt for blocked and allowed names."""
    for folder in earlier:
        with opened(folder) as tables:
            if tables is not None:
                parts.domains.take_over(tables)
