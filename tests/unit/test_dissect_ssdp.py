"""SSDP: what announces itself, and what looks for it."""

import pytest

from hearthwall_sensor.dissect import ssdp
from hearthwall_sensor.dissect.ssdp import Announcement


def message(*lines: str) -> bytes:
    return "\r\n".join((*lines, "", "")).encode()


def test_what_a_device_announces() -> None:
    data = message(
        "NOTIFY * HTTP/1.1",
        "HOST: 239.255.255.250:1900",
        "Location:http://192.168.7.20:1400/xml/device_description.xml",
        "NTS: ssdp:alive",
        "SERVER: Linux UPnP/1.0 Sonos/70.3 (ZPS13)",
        "USN: uuid:RINCON_1::upnp:rootdevice",
    )
    assert ssdp.parse(data) == Announcement(
        "Linux UPnP/1.0 Sonos/70.3 (ZPS13)",
        "http://192.168.7.20:1400/xml/device_description.xml",
        "uuid:RINCON_1::upnp:rootdevice",
        None,
    )


def test_a_search_and_its_answer() -> None:
    search = message("M-SEARCH * HTTP/1.1", "ST: ssdp:all", "USER-AGENT: Android/14", "")
    assert ssdp.parse(search) == Announcement("Android/14", None, None, None)
    answer = message("HTTP/1.1 200 OK", "EXT:", "USN: uuid:1")
    assert ssdp.parse(answer) == Announcement(None, None, "uuid:1", None)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("CPFN.UPNP.ORG: Anna's Tablet", "Anna's Tablet"),
        ("DLNADeviceName.lge.com: %5bLG%5d%20Living%20Room", "[LG] Living Room"),
        ("CPFN.UPNP.ORG: %00%1b", None),
        ("CPFN.UPNP.ORG: " + "a" * 100, "a" * 64),
        ("X-Name: somebody", None),
    ],
)
def test_what_some_call_themselves(line: str, name: str | None) -> None:
    found = ssdp.parse(message("M-SEARCH * HTTP/1.1", line))
    assert found is not None
    assert found.friendly_name == name


def test_texts_can_be_printed_and_have_an_end() -> None:
    found = ssdp.parse(b"NOTIFY * HTTP/1.1\r\nSERVER: \x1b[2J\xff" + b"a" * 3000 + b"\r\n\r\n")
    assert found is not None
    assert found.server == "[2J" + "a" * 509


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"NOTIFY * HTTP/1.1",
        message("GET / HTTP/1.1", "Host: a.example"),
        message("NOTIFY * SIP/2.0"),
        message("NOTIFY * HTTP/1.1", "no header"),
        b"\0" * 100,
    ],
)
def test_what_is_no_ssdp(data: bytes) -> None:
    assert ssdp.parse(data) is None
