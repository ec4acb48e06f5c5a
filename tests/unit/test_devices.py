"""Totals never fall, rates are means of the last seconds, and a flood of MACs pushes out no device."""

import sqlite3
import time
from pathlib import Path

import pytest

from hearthwall_sensor import devices
from hearthwall_sensor.devices import MAX_ACCOUNTS, Account, Devices
from hearthwall_sensor.identity.identities import Identity
from hearthwall_sensor.kernel.layouts import PortCounters
from hearthwall_sensor.store import Store
from tests.devices import CAMERA, PHONE

MAC = "00:00:5e:00:53:21"


def counters(upload: int, download: int = 0, created: int = 1) -> PortCounters:
    return PortCounters(
        created, ((upload, upload // 100, download, download // 100), (0,) * 4, (0,) * 4)
    )


def test_growth_is_added_once() -> None:
    home = Devices()
    for upload in (1000, 1000, 2500):
        home.read({(MAC, 3): counters(upload)}, (), 1)
    assert home.accounts[MAC].bytes == (2500, 0)


def test_an_entry_that_was_evicted_begins_anew_and_the_total_goes_on() -> None:
    home = Devices()
    home.read({(MAC, 3): counters(1000, created=1)}, (), 1)
    home.read({(MAC, 3): counters(300, created=2)}, (), 2)
    assert home.accounts[MAC].bytes == (1300, 0)


def test_a_counter_that_seems_to_shrink_takes_nothing_back() -> None:
    home = Devices()
    home.read({(MAC, 3): counters(1000)}, (), 1)
    home.read({(MAC, 3): counters(900)}, (), 2)
    assert home.accounts[MAC].bytes == (1000, 0)


def test_a_device_that_roams_is_one_device() -> None:
    home = Devices()
    home.read({(MAC, 3): counters(1000), (MAC, 4): counters(500)}, (), 1)
    assert home.accounts[MAC].bytes == (1500, 0)
    home.read({(MAC, 3): counters(1000), (MAC, 4): counters(700)}, (), 2)
    assert home.accounts[MAC].interface == 4


def test_the_gateways_own_macs_are_no_devices() -> None:
    home = Devices()
    home.read({(MAC, 3): counters(1000), ("00:00:00:00:00:00", 3): counters(1)}, (MAC,), 1)
    assert home.accounts == {}


def test_download_alone_is_no_sign_of_life() -> None:
    account = Account(MAC, 10.0, 10.0)
    account.add(3, counters(100), 20.0)
    account.add(3, counters(100, 5000), 30.0)
    assert account.last_seen == 20.0


def test_rate_is_the_mean_of_the_window_and_falls_to_zero() -> None:
    account = Account(MAC, 0.0, 0.0)
    for second in range(30):
        account.scopes = ((min(second, 15) * 1000, 0, 0, 0), (0,) * 4, (0,) * 4)
        account.sample(float(second))
        if second == 12:
            assert account.upload_rate == pytest.approx(1000, rel=0.01)
    assert account.upload_rate == 0
    assert account.sample(31.0) is False


def test_first_packets_have_a_rate_at_once() -> None:
    home = Devices()
    home.read({(MAC, 3): counters(1000)}, (), 1)
    account = home.accounts[MAC]
    account.sample(time.monotonic() + 1)
    assert 900 < account.upload_rate < 1100


def test_first_packets_have_no_rate_beyond_what_came() -> None:
    home = Devices()
    home.read({(MAC, 3): counters(1000)}, (), 1)
    home.sample(1)
    assert home.accounts[MAC].upload_rate == 1000


def test_a_flood_of_macs_pushes_out_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "MAX_ACCOUNTS", 50)
    now = time.time()
    home = Devices([Account(MAC, now - 5000, now - 4000)])
    invented = {
        (f"02:00:00:00:{each // 256:02x}:{each % 256:02x}", 3): counters(100) for each in range(500)
    }
    home.read(invented, (), 2)
    gone = home.evict(())
    assert len(home.accounts) == 50
    assert MAC in home.accounts
    assert home.evicted == len(gone) == 451
    assert MAX_ACCOUNTS >= 1000


DAY = 86_400.0


def numbered(number: int, *, randomised: bool = False) -> str:
    return f"{'02' if randomised else '00'}:00:00:00:{number // 256:02x}:{number % 256:02x}"


def full(*, newest: float, days: float, randomised: bool = False) -> Devices:
    """Return a home that is full of devices which stayed for a while, all but one of them these days ago."""
    home = Devices(
        Account(
            numbered(each, randomised=randomised), newest - 400 * DAY, newest - days * DAY - each
        )
        for each in range(1, MAX_ACCOUNTS)
    )
    home.accounts[MAC] = Account(MAC, newest - 400 * DAY, newest)
    return home


def come(home: Devices, *macs: str) -> list[str]:
    """Let these send something, and return who had to go."""
    home.read({(each, 3): counters(1000) for each in macs}, (), 1)
    return [each.mac for each in home.evict(())]


@pytest.mark.parametrize(
    ("days", "randomised", "stays"),
    [(91, False, False), (89, False, True), (8, True, False), (6, True, True), (8, False, True)],
)
def test_a_device_that_is_long_away_makes_room_for_a_new_one(
    days: float, randomised: bool, stays: bool
) -> None:
    """A home that was full once must learn of somebody new; what was seen lately is not given up for that."""
    home = full(newest=time.time(), days=days, randomised=randomised)
    longest = numbered(MAX_ACCOUNTS - 1, randomised=randomised)
    assert come(home, PHONE) == ([PHONE] if stays else [longest])


def test_a_flood_of_macs_pushes_out_few_of_those_that_are_long_away() -> None:
    home = full(newest=time.time(), days=100)
    for burst in range(3):
        come(home, *(numbered(burst * 400 + each, randomised=True) for each in range(400)))
    settled = [each for each in home.accounts.values() if each.is_settled]
    assert len(settled) == MAX_ACCOUNTS - 64
    assert MAC in home.accounts


def test_a_visitor_that_has_left_makes_room_whatever_it_sent() -> None:
    """Else those who were there for a minute would take the places of newcomers for good."""
    now = time.time()
    home = full(newest=now, days=1)
    visitors = list(home.accounts)[:64]
    for each in visitors:
        home.accounts[each] = Account(
            each, now - DAY, now - DAY + 60, ((10**9, 10**6, 0, 0), (0,) * 4, (0,) * 4)
        )
    (gone,) = come(home, PHONE)
    assert gone in visitors


def test_a_clock_that_was_ahead_makes_nobody_old() -> None:
    home = full(newest=time.time(), days=1)
    home.accounts[MAC].last_seen += 3650 * DAY
    assert come(home, PHONE) == [PHONE]


def test_what_is_named_is_kept() -> None:
    home = Devices(
        Account(f"02:00:00:00:{n // 256:02x}:{n % 256:02x}", 0.0, float(n))
        for n in range(MAX_ACCOUNTS + 3)
    )
    assert "02:00:00:00:00:00" not in {each.mac for each in home.evict(["02:00:00:00:00:00"])}


def test_totals_come_back_from_disk_with_what_is_in_them(tmp_path: Path) -> None:
    home = Devices()
    home.read({(MAC, 3): counters(1000, 2000, created=7)}, (), 1)
    store = Store(tmp_path / "devices.db")
    store.save(home.accounts.values(), [])
    store.close()
    again = Devices(Store(tmp_path / "devices.db").accounts())
    again.read({(MAC, 3): counters(1500, 2000, created=7)}, (), 1)
    assert again.accounts[MAC].bytes == (1500, 2000)


def test_a_damaged_database_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "devices.db").write_bytes(b"no database" * 1000)
    assert Store(tmp_path / "devices.db").accounts() == []
    assert (tmp_path / "devices.db.damaged").exists()


@pytest.mark.parametrize(
    "damage",
    [
        "mac = 'zz'",
        "mac = x'ff'",
        "first_seen = 'a'",
        "last_seen = 9e300",
        "scopes = '[[1, 2, 3, 4]]'",
        "scopes = 'nope'",
        "seen = '[]'",
        """seen = '{"1": ["a", []]}'""",
    ],
)
def test_a_damaged_row_of_a_device_spoils_no_other(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "devices.db"
    store = Store(path)
    store.save([Account(CAMERA, 1.0, 2.0), Account(PHONE, 1.0, 2.0)], [])
    store.close()
    with sqlite3.connect(path) as other:
        other.execute(f"UPDATE devices SET {damage} WHERE mac = ?", (CAMERA,))
    other.close()
    again = Store(path)
    assert [each.mac for each in again.accounts()] == [PHONE]
    assert not again.was_damaged
    again.close()
    assert "is damaged and left out" in caplog.text


def test_a_damaged_row_of_an_identity_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "devices.db"
    store = Store(path)
    store.save([], [], [Identity(CAMERA, 1.0, 2.0), Identity(PHONE, 1.0, 2.0)])
    store.close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE identities SET hostnames = '[]' WHERE mac = ?", (CAMERA,))
    other.close()
    again = Store(path)
    assert [each.mac for each in again.identities()] == [PHONE]
    again.close()


def test_a_database_of_another_format_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "devices.db"
    Store(path).close()
    content = bytearray(path.read_bytes())
    content[44:48] = (
        b"\x00\x00\x00\x63"  # the schema's format: SQLite calls it an error of operation
    )
    path.write_bytes(content)
    again = Store(path)
    assert again.was_damaged
    assert (tmp_path / "devices.db.damaged").read_bytes() == content
    again.close()


def test_a_profile_on_a_damaged_page_is_found_when_the_database_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "devices.db"
    store = Store(path)
    store.keep_profile(CAMERA, "{" * 50_000)
    store.close()
    content = path.read_bytes()
    at = content.index(b"{" * 4000) - 4  # where a page of it says which comes next
    path.write_bytes(content[:at] + b"\xff\xff\xff\xff" + content[at + 4 :])
    again = Store(path)
    assert (again.profiles(), again.was_damaged) == ([], True)
    again.close()
