"""Events in words for mails and messages: what they say, how long they get, and that nothing in them acts."""

from pathlib import Path
from typing import cast

import pytest

from hearthwall_sensor.client import Client
from hearthwall_sensor.kinds import KINDS
from hearthwall_sensor.sinks import letters, words
from hearthwall_sensor.sinks.forwarder import Forwarder
from tests.unit.receivers import CAMERA, camera, context, event

EVIL = "a\r\nBcc: all@example.org\x00\x1b]0;x\x07\u202e\u2028" + "x" * 5_000


def names(mac: str) -> str | None:
    return {CAMERA: "front door"}.get(mac)


def test_a_letter_tells_what_was_noticed_what_it_means_and_what_to_do() -> None:
    letter = letters.whole([event(7), event(8, severity="critical", summary="is bad")], context())
    assert letter.subject == "Hearthwall: Critical: is bad (and 1 more)"
    for said in (
        "tries many ports of 192.168.20.1",
        f"front door ({CAMERA})",
        "a device tries many ports of one host, and fails",
        "40 ports tried, against 15, within 1 min",
        "Quarantine the device unless",
        "https://attack.mitre.org/techniques/T1046/",
        "sudo hearthwall-sensor explain 8",
    ):
        assert said in " ".join(letter.text.split()), said


@pytest.mark.parametrize("kind", [*KINDS, "from_a_newer_sensor"])
def test_every_kind_has_words(kind: str) -> None:
    told = event(kind=kind, mac=None, address=None, process="/usr/bin/x", evidence={})
    assert "/usr/bin/x" in words.whole(told, names)
    assert "Program: /usr/bin/x" in words.brief(told, names)


def test_text_of_the_network_does_nothing_and_is_bounded() -> None:
    evidence = {EVIL: EVIL, "flows": [{"peer_name": EVIL, "address": EVIL}] * 5, "value": 1e300}
    evil = event(summary=EVIL, peer_name=EVIL, evidence=evidence, process=EVIL, mac=EVIL)
    letter = letters.whole([evil] * 50, context(name=EVIL))
    assert len(letter.subject) <= letters.LONGEST_SUBJECT
    assert len(letter.text) < letters.LONGEST_TEXT + 500
    assert letter.subject.isprintable()
    for text in (letter.text, words.brief(evil, names)):
        assert all(line.isprintable() for line in text.split("\n"))
        assert "\nBcc" not in text
    assert "And 3" in letter.text.rpartition("-" * 72)[2]
    assert "hearthwall-sensor events --since 6" in letter.text


def test_a_device_without_a_name_is_told_by_who_made_it_and_that_is_said() -> None:
    nameless = context(name=None, maker="Some Maker")
    for text in (
        letters.whole([event(7)], nameless).text,
        words.brief(event(7), words.called(nameless)),
    ):
        assert f"a device made by Some Maker ({CAMERA})" in " ".join(text.split())
    assert CAMERA in words.brief(event(7), words.called(context(name=None)))


def test_a_device_is_called_what_people_or_it_call_it_and_nothing_else() -> None:
    forwarder = Forwarder([], cast(Client, None), Path("/nowhere"))
    for name, hostname, called in (("porch", "cam7", "porch"), (None, "cam7", "cam7"), (None,) * 3):
        known = camera(name=name, hostname=hostname, vendor="Some Maker")
        forwarder._devices = {CAMERA: known}
        assert forwarder._device_name(CAMERA) == called
        assert forwarder._device_maker(CAMERA) == "Some Maker"


def test_a_bare_letter_has_no_name_in_it() -> None:
    letter = letters.bare([event(7, peer_name="bad.example", summary="asks for bad.example")])
    assert "bad.example" not in letter.subject + letter.text
    assert "port_scan (event 7)" in letter.text
