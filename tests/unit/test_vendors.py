"""Vendors of MACs, from files as the IEEE writes them: the longest assignment counts, a made-up MAC has none."""

from pathlib import Path

import pytest

from hearthwall_sensor.identity import vendors
from hearthwall_sensor.identity.vendors import FOLDER, Vendors

LARGE = (
    "OUI/MA-L                Organization\r\ncompany_id              Organization\r\n\r\n"
    "00-22-72   (hex)\t\tAcme Motors\r\n002272     (base 16)\t\tAcme Motors\r\n"
    "\t\t\t\t2181 Buchanan Loop\r\n\t\t\t\tFerndale  WA  98248\r\n\t\t\t\tUS\r\n\r\n"
    "74-1A-E0   (hex)\t\tIEEE Registration Authority\r\n"
    "741AE0     (base 16)\t\tIEEE Registration Authority\r\n\r\n"
    "00-50-C2   (hex)\t\tIEEE Registration Authority\r\n"
    "0050C2     (base 16)\t\tIEEE Registration Authority\r\n\r\n"
    "00-00-5E   (hex)\t\tSociété Générale\r\n00005E     (base 16)\t\tSociété Générale\r\n\r\n"
    "00-AA-00   (hex)\t\tPrivate\r\n00AA00     (base 16)\t\tPrivate\r\n"
)
MEDIUM = (
    "74-1A-E0   (hex)\t\tMid Ltd\r\n400000-4FFFFF     (base 16)\t\tMid Ltd\r\n\t\t\t\tUS\r\n\r\n"
    "74-1A-E0   (hex)\t\tPrivate\r\n900000-9FFFFF     (base 16)\t\tPrivate\r\n"
)
SMALL = (
    "74-1A-E0   (hex)\t\tTiny GmbH\r\n456000-456FFF     (base 16)\t\tTiny GmbH\r\n\r\n"
    f"70-B3-D5   (hex)\t\t{'Long ' * 40}\r\nF2F000-F2FFFF     (base 16)\t\t{'Long ' * 40}\r\n"
)
BLOCKS = (
    "00-50-C2                      (hex)                         DEUTA-WERKE GmbH    \r\n"
    "7D5000-7D5FFF                 (base 16)                     DEUTA-WERKE GmbH    \r\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lists = {"oui.txt": LARGE, "mam.txt": MEDIUM, "oui36.txt": SMALL, "iab.txt": BLOCKS}
    for name, content in lists.items():
        (tmp_path / name).write_bytes(content.encode())
    return tmp_path


@pytest.mark.parametrize(
    ("mac", "vendor"),
    [
        ("00:22:72:12:34:56", "Acme Motors"),
        ("00:00:5e:00:53:21", "Société Générale"),
        ("74:1a:e0:45:60:01", "Tiny GmbH"),
        ("74:1a:e0:45:70:01", "Mid Ltd"),
        ("74:1a:e0:4f:ff:ff", "Mid Ltd"),
        ("74:1a:e0:90:00:01", None),
        ("74:1a:e0:10:00:01", None),
        ("00:50:c2:7d:5f:ff", "DEUTA-WERKE GmbH"),
        ("00:50:c2:7d:6f:ff", None),
        ("00:aa:00:00:00:01", None),
        ("f8:00:00:00:00:01", None),
        ("00:00:00:00:00:01", None),
    ],
)
def test_the_longest_assignment_counts(folder: Path, mac: str, vendor: str | None) -> None:
    assert Vendors(folder).find(mac) == vendor


def test_a_randomised_mac_has_no_vendor_whatever_its_bytes_say(folder: Path) -> None:
    (folder / "oui.txt").write_text(LARGE.replace("002272", "022272").replace("00-22", "02-22"))
    assert Vendors(folder).find("02:22:72:00:00:01") is None
    assert Vendors(folder).find("01:22:72:00:00:01") is None


def test_a_name_is_bounded(folder: Path) -> None:
    found = Vendors(folder).find("70:b3:d5:f2:f0:01")
    assert found is not None
    assert (found[:10], len(found) <= 64) == ("Long Long ", True)


def test_missing_and_damaged_lists_tell_nothing(tmp_path: Path) -> None:
    assert Vendors(tmp_path / "none").find("00:22:72:00:00:01") is None
    (tmp_path / "oui.txt").write_bytes(b"\xff\0 zzzzzz  (base 16)  what (hex)\n" * 100)
    (tmp_path / "mam.txt").write_bytes(b"")
    (tmp_path / "oui36.txt").write_bytes(b"(base 16)")
    assert Vendors(tmp_path).find("00:22:72:00:00:01") is None


def test_a_list_that_is_replaced_is_still_read_where_it_was(folder: Path) -> None:
    found = Vendors(folder)
    assert found.find("00:00:5e:00:00:01") == "Société Générale"
    (folder / "new").write_text("nothing")
    (folder / "new").replace(folder / "oui.txt")
    assert found.find("00:22:72:00:00:01") == "Acme Motors"


def test_what_is_remembered_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendors, "_REMEMBERED", 10)
    found = Vendors(folder)
    for number in range(100):
        assert found.find(f"00:22:72:00:00:{number:02x}") == "Acme Motors"
    assert len(found._known) <= 10


@pytest.mark.skipif(not (FOLDER / "oui.txt").exists(), reason="needs Debian's ieee-data")
def test_debians_lists_are_read() -> None:
    found = Vendors()
    assert found.find("00:00:5e:00:53:21") == "ICANN, IANA Department"
    assert [len(each.entries) > 4000 for each in found._lists] == [True] * 4
