"""How far each sink has come is kept, and what is lost is counted: also where journal or ledger were damaged."""

import asyncio
from pathlib import Path

import pytest

from hearthwall_sensor.sinks.delivery import Delivery
from hearthwall_sensor.sinks.ledger import Account, Ledger
from hearthwall_sensor.sinks.sink import SinkError
from tests.unit.test_sinks import Past, Receiver, event, named


def test_a_new_sink_is_not_told_of_the_past(tmp_path: Path) -> None:
    assert Ledger.read(tmp_path).account("siem", 41) == Account(41)


def test_how_far_a_sink_has_come_is_kept(tmp_path: Path) -> None:
    ledger = Ledger.read(tmp_path)
    ledger.account("siem", 5).delivered = 7
    ledger.account("gone", 5)
    ledger.keep(["siem"])
    asyncio.run(ledger.write())
    again = Ledger.read(tmp_path)
    assert again.accounts == {"siem": Account(5, delivered=7)}
    assert (tmp_path / "sinks.json").stat().st_mode & 0o077 == 0


def test_a_journal_that_began_anew_is_told_from_its_beginning(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "sinks.json", {"siem": Account(500)})
    assert ledger.account("siem", 3).cursor == 0


@pytest.mark.parametrize("is_known", [True, False])
async def test_what_a_journal_that_began_anew_had_still_to_tell_is_counted(
    tmp_path: Path, *, is_known: bool
) -> None:
    past, ledger = Past([event(seq) for seq in range(1, 4)]), Ledger.read(tmp_path)
    ledger.follow("one")
    receiver = Receiver(starts=[SinkError("it is away")])
    one = Delivery(named(), receiver, ledger.account("siem", 3), past.journal())
    past.events += [event(seq) for seq in range(4, 11)]
    one.wake()
    await ledger.write()
    again = Ledger.read(tmp_path)
    again.follow("another" if is_known else "")
    account = again.account("siem", 2)
    assert (account.cursor, account.lost) == (0, 7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"sinks": 1}',
        '{"sinks": {"siem": {"cursor": "x"}}}',
        "[" * 5000,
        '{"sinks": {"siem": {"cursor": -1}}}',
        '{"sinks": {"siem": {}}}',
    ],
)
def test_a_damaged_ledger_gives_way_to_the_one_before(tmp_path: Path, text: str) -> None:
    (tmp_path / "sinks.json").write_text(text)
    assert Ledger.read(tmp_path).accounts == {}
    (tmp_path / "sinks.json.previous").write_text('{"sinks": {"siem": {"cursor": 4}}}')
    assert Ledger.read(tmp_path).accounts == {"siem": Account(4)}
