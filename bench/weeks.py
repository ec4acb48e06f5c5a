"""The built-in set: weeks of a home's life with intrusions, written as captures with labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.labelled import Labelled, Truth
from lab.mmdb import write as write_places
from lab.week import intrusions, wire
from lab.week.household import LAN, THINGS
from lab.week.internet import NETWORKS
from lab.week.intrusions import INTRUSIONS, Intrusion
from lab.week.life import DAY, Life
from lab.week.weeks import records

LEARNING_DAYS: Final = 7
_POLICY: Final = f"""\
[segment.rooms]
networks = ["192.168.50.0/25", "{LAN[1]}"]
may_reach = ["things"]

[segment.things]
networks = ["{THINGS}"]
may_reach = []
"""


def write(
    folder: Path, seed: int, *, days: int = 14, chosen: Sequence[Intrusion] = INTRUSIONS
) -> Labelled:
    """Write a capture of some days, those after the first seven with intrusions, and return it with labels."""
    life = Life(seed, (days + 6) // 7)
    labels = intrusions.carry_out(life, chosen, LEARNING_DAYS)
    labels += intrusions.arrivals(life, LEARNING_DAYS, days - LEARNING_DAYS)
    path = folder / f"weeks-{seed}-{'with' if chosen else 'without'}-intrusions.pcap"
    with path.open("wb") as file:
        file.write(wire.HEADER)
        for day in records(life, days):
            file.write(b"".join(wire.packed(day)))
    policy = folder / "policy.toml"
    policy.write_text(_POLICY)
    feeds = folder / "known-bad-names.txt", folder / "known-bad-addresses.txt"
    for feed, entry in zip(feeds, intrusions.LISTED, strict=True):
        feed.write_text(f"{entry}\n")
    return Labelled(
        file=path,
        lan=LAN,
        policy=policy,
        feeds=feeds,
        geo=(_places(folder / "places.mmdb"),),
        events=tuple(
            Truth((each.kind,), each.macs, each.start, each.end, each.variant) for each in labels
        ),
        judged_after=LEARNING_DAYS * DAY,
    )


def _places(path: Path) -> Path:
    """Write where the made-up internet's networks are."""
    return write_places(
        path,
        {
            prefix: {
                "country": {"iso_code": network.country},
                "autonomous_system_number": network.number,
                "autonomous_system_organization": network.name,
            }
            for network in NETWORKS
            for prefix in network.prefixes
        },
    )
