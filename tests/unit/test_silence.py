"""A home's weeks: one is learnt, in the next hardly anything is told, and on the day after it every attack is."""

from collections.abc import Iterator
from typing import Any

import pytest

from bench.streams import made
from hearthwall_sensor.capture.circumstances import Circumstances
from hearthwall_sensor.capture.replay import Capture, parse_lan
from hearthwall_sensor.kinds import SEVERITIES
from hearthwall_sensor.protocol import Event
from lab.week import intrusions, wire
from lab.week.household import LAN
from lab.week.intrusions import INTRUSIONS, Label
from lab.week.life import BEGIN, DAY, Life
from lab.week.weeks import records

LEARNT, JUDGED = 7, 7
#: At most so many of medium severity or more in the judged week.
SILENT = 1
#: What happens on the day after: the others are measured by bench/detectors.
ATTACKS = {
    "exfiltration, fast": "volume_anomaly",
    "2 min, 20 %": "beacon",
    "fast": "port_scan",
    "telnet, fast": "address_scan",
    "txt": "dns_tunnel",
    "another country": "unexpected_destination",
    "tls": "local_device_on_internet",
    "stratum": "forbidden_protocol",
    "the router's, by arp": "address_conflict",
}


class Weeks:
    """What was told in two weeks and a day."""

    def __init__(self) -> None:
        life = Life(seed=1, weeks=3)
        chosen = [
            each._replace(day=0)
            for each in INTRUSIONS
            if ATTACKS.get(each.variant) == each.kind and each.hour < 24
        ]
        self.labels: list[Label] = intrusions.carry_out(life, chosen, LEARNT + JUDGED)
        self.capture = Capture(Circumstances(parse_lan(LAN)))
        self.capture.read(made(self._pieces(life)))
        self.events: tuple[Event, ...] = self.capture.detection.events

    @staticmethod
    def _pieces(life: Life) -> Iterator[bytes]:
        yield wire.HEADER
        for day in records(life, LEARNT + JUDGED + 1):
            yield b"".join(wire.packed(day))

    def between(self, first: float, last: float) -> list[Event]:
        return [
            each for each in self.events if BEGIN + first * DAY <= each.time < BEGIN + last * DAY
        ]


@pytest.fixture(scope="module")
def weeks() -> Weeks:
    return Weeks()


# Some million and a half packets
pytestmark = pytest.mark.timeout(1800)


def test_a_week_of_everyday_life_is_silent(weeks: Weeks, record_property: Any) -> None:
    told = weeks.between(LEARNT, LEARNT + JUDGED)
    medium = SEVERITIES.index("medium")
    alarms = [each for each in told if SEVERITIES.index(each.severity) >= medium]
    record_property("alarms", len(alarms))
    record_property("info_and_low", len(told) - len(alarms))
    print(
        f"{len(alarms)} of medium severity or more, {len(told) - len(alarms)} milder ones in a week"
    )
    assert len(alarms) <= SILENT, [(each.kind, each.summary) for each in alarms]
    assert weeks.capture.detection.counted == {}


def test_there_is_life_in_it(weeks: Weeks) -> None:
    assert weeks.capture.counted["packets"] > 1_000_000
    assert len(weeks.capture.meter.flows) > 50_000


@pytest.mark.parametrize("variant", ATTACKS)
def test_silence_is_no_deafness(weeks: Weeks, variant: str) -> None:
    (label,) = [each for each in weeks.labels if each.variant == variant]
    own = [
        each
        for each in weeks.events
        if each.mac in label.macs and label.start - 5 <= each.time <= label.end + 900
    ]
    assert label.kind in {each.kind for each in own}, [(each.kind, each.summary) for each in own]
