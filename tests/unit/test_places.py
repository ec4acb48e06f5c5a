"""Country and network of an address, from files of every shape that users have; damage hurts nobody."""

import logging
import random
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.network import places
from hearthwall_sensor.network.places import Place, Places
from lab.mmdb import write

V4, V6 = "203.0.113.9", "2001:db8:ffff::9"
PREFIXES = ("203.0.113.0/24", "2001:db8:ffff::/48")


def both(record: Any) -> dict[str, Any]:
    return dict.fromkeys(PREFIXES, record)


@pytest.mark.parametrize(
    ("record", "place"),
    [
        # GeoLite2 Country, DB-IP Lite Country
        ({"country": {"iso_code": "DE", "names": {"en": "Germany"}}}, Place("DE")),
        # GeoLite2 ASN, DB-IP Lite ASN
        (
            {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Net"},
            Place(None, 64500, "Example Net"),
        ),
        # IPinfo Lite
        (
            {
                "country": "Germany",
                "country_code": "DE",
                "asn": "AS64500",
                "as_name": "Example Net",
                "as_domain": "net.example",
            },
            Place("DE", 64500, "Example Net"),
        ),
        # IPinfo's older files
        ({"country": "DE", "continent": "EU"}, Place("DE")),
        (
            {"asn": "AS64500", "name": "Example Net", "domain": "x"},
            Place(None, 64500, "Example Net"),
        ),
        # ip-location-db
        ({"country_code": "de"}, Place("DE")),
        # What makes no sense
        ({"country": {"iso_code": 5}, "asn": "ASx", "as_name": 7}, Place()),
        ({"country": {}, "asn": "AS" + "9" * 200, "as_name": "\x1b[31m"}, Place(as_name="[31m")),
        ({"autonomous_system_number": 2**40, "as_name": ""}, Place()),
        ({"asn": True, "country": "Germany"}, Place()),
        ("no map", Place()),
        ([1, 2], Place()),
    ],
)
def test_every_shape_is_read(tmp_path: Path, record: Any, place: Place) -> None:
    found = Places([str(write(tmp_path / "a.mmdb", both(record)))])
    assert found.find(V4) == place
    assert found.find(V6) == place
    assert found.find("198.51.100.1") == Place()
    assert found.unreadable == 0


def test_files_complete_one_another_and_the_first_wins(tmp_path: Path) -> None:
    country = write(tmp_path / "country.mmdb", both({"country": {"iso_code": "DE"}}))
    network = write(
        tmp_path / "asn.mmdb", both({"country_code": "FR", "asn": 64500, "as_name": "Net"})
    )
    assert Places([str(country), str(network)]).find(V4) == Place("DE", 64500, "Net")
    assert Places([str(network), str(country)]).find(V6) == Place("FR", 64500, "Net")


def test_a_file_of_ipv4_alone_says_nothing_of_ipv6(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mmdb", {PREFIXES[0]: {"country_code": "DE"}}, version=4)
    found = Places([str(path)])
    assert (found.find(V4), found.find(V6)) == (Place("DE"), Place())
    assert found.unreadable == 0


def test_without_files_there_is_nothing(tmp_path: Path) -> None:
    assert Places([]).find(V4) == Place()


def test_a_file_that_is_replaced_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_LOOK_AGAIN", 0.0)
    path = write(tmp_path / "a.mmdb", both({"country_code": "DE"}))
    found = Places([str(path)])
    assert found.find(V4) == Place("DE")
    write(tmp_path / "b.mmdb", both({"country_code": "FR"})).replace(path)
    assert found.find(V4) == Place("FR")
    path.unlink()
    assert found.find(V4) == Place()
    assert found.unreadable == 1
    write(path, both({"country_code": "SE"}))
    assert found.unreadable == 0
    assert found.find(V4) == Place("SE")


def test_missing_and_damaged_files_are_logged_at_once_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(places, "_LOOK_AGAIN", 0.0)
    damaged = tmp_path / "damaged.mmdb"
    damaged.write_bytes(b"no database" * 1000)
    fine = write(tmp_path / "fine.mmdb", both({"country_code": "DE"}))
    with caplog.at_level(logging.WARNING):
        found = Places([str(tmp_path / "none.mmdb"), str(damaged), str(fine)])
        named = [each.getMessage().split(" ")[0] for each in caplog.records]
        assert named == [str(tmp_path / "none.mmdb"), str(damaged)]
        for _ in range(5):
            assert found.find(V4) == Place("DE")
    assert len(caplog.records) == 2
    assert found.unreadable == 2


def test_a_file_that_is_written_over_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.mmdb", both({"country_code": "DE"}))
    found = Places([str(path)])
    assert found.find(V4) == Place("DE")
    with path.open("r+b") as file:  # as `wget -O` does: the same file, empty for a while
        file.truncate(0)
        assert found.find(V6) == Place()
        assert found.find(V4) == Place("DE")  # remembered
    monkeypatch.setattr(places, "_LOOK_AGAIN", 0.0)
    write(path, both({"country_code": "FR"}))
    found._next_look = 0.0
    assert found.find(V6) == Place("FR")


def test_a_look_up_never_raises_whatever_bytes_are_wrong(tmp_path: Path) -> None:
    whole = write(
        tmp_path / "a.mmdb", both({"country": {"iso_code": "DE"}, "asn": 64500})
    ).read_bytes()
    chance = random.Random(4)
    for _ in range(300):
        spoilt = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        path = tmp_path / "spoilt.mmdb"
        path.write_bytes(spoilt[: chance.randrange(1, len(spoilt) + 1)])
        found = Places([str(path)])
        for address in (V4, V6, "0.0.0.0", "::"):
            assert isinstance(found.find(address), Place)


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_REMEMBERED", 10)
    found = Places([str(write(tmp_path / "a.mmdb", both({"country_code": "DE"})))])
    for number in range(100):
        assert found.find(f"203.0.113.{number}") == Place("DE")
    assert len(found._known) == 10
