"""What the user says of events, profiles and the policy is on disk when it is answered, and holds after a restart."""

import asyncio
import dataclasses
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hearthwall_sensor.habits import PolicyReport, ProfileReport
from hearthwall_sensor.identity.chosen import Chosen
from hearthwall_sensor.journal import Journal
from hearthwall_sensor.kernel.layouts import ROLE_GATEWAY, ROLE_SELF
from hearthwall_sensor.learning.profiles import Profiles
from hearthwall_sensor.network.protection import Protection
from hearthwall_sensor.notice import Notice
from hearthwall_sensor.policy import accepted as accepted_events
from hearthwall_sensor.policy.accepted import Accepted
from hearthwall_sensor.policy.blame import Blame
from hearthwall_sensor.policy.file import PolicyFile
from hearthwall_sensor.policy_orders import MAX_HINTS, PolicyOrders
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.requests import (
    AcceptEvent,
    GetAccepted,
    GetEvent,
    GetPolicy,
    GetProfile,
    Hint,
    RevokeAccepted,
    SetHints,
    SetPolicy,
    SetProfile,
    read_request,
)
from hearthwall_sensor.store import Store
from tests.devices import CAMERA, PHONE, TV


class Sensor:
    """The parts that these orders need, on a disk of their own."""

    def __init__(self, folder: Path, merged: dict[str, str] | None = None) -> None:
        self.now = time.time() - 100 * 86_400
        self.store, self.journal = Store(folder / "devices.db"), Journal(folder / "events.db")
        self.chosen = Chosen({}, merged or {})
        self.policy = PolicyFile(folder / "policy.toml", self.chosen.macs, self.store.hints())
        self.accepted = Accepted(self.store.accepted(), self.chosen.macs)
        self.profiles = Profiles(self.store.profiles(), self.policy.device)
        self.descriptions = SimpleNamespace(of=lambda _: None)
        self.places = SimpleNamespace(has_files=False)
        self.totals = SimpleNamespace(saving=asyncio.Lock())
        self.surroundings = SimpleNamespace(
            protection=Protection({TV: ROLE_GATEWAY}, {"203.0.113.53": ROLE_SELF}),
            is_home=lambda address: address.startswith("192.168."),
        )
        blame = Blame(lambda address: address.startswith("192.168."), lambda _: False)
        self.responder = SimpleNamespace(blame=blame)
        parts: Any = SimpleNamespace(**vars(self))
        self.orders = PolicyOrders(parts, SimpleNamespace(device=self._device))  # type: ignore[arg-type]

    def later(self) -> float:
        """Return a time so late that nothing that happens then is a repeat."""
        self.now += 10 * 86_400
        return self.now

    def _device(self, mac: str) -> None:
        if mac not in (CAMERA, TV):
            raise SensorError("not_found")

    async def __call__(self, request: Any) -> Any:
        _, read = read_request({"id": 1, "type": request.type, **request.to_wire()})
        return await self.orders.answers[type(request)](read)

    def close(self) -> None:
        self.store.close()
        self.journal.close()


def notice(subject: str = "domain new.example", **fields: Any) -> Notice:
    said: dict[str, Any] = {
        "kind": "unexpected_destination",
        "severity": "medium",
        "summary": "camera talks to new.example.",
        "evidence": {"detector": "unexpected_destination", "value": 1.0},
        "mac": CAMERA,
    }
    return Notice(subject=subject, **(said | fields))


@pytest.fixture
async def sensor(tmp_path: Path) -> AsyncIterator[Sensor]:
    sensor = Sensor(tmp_path)
    sensor.journal.note(notice())
    sensor.journal.note(notice(kind="blocked", subject=""))
    sensor.journal.note(notice(mac=None))
    sensor.journal.note(notice(mac=None, address="192.168.20.9"))
    await sensor.journal.write()
    yield sensor
    sensor.close()


async def code(sensor: Sensor, request: Any) -> str:
    with pytest.raises(SensorError) as error:
        await sensor(request)
    return error.value.code


async def test_an_event_tells_whom_an_order_may_cut_off_for_it(sensor: Sensor) -> None:
    for told, culprit, peer in (
        (notice(peer_address="203.0.113.9"), CAMERA, "203.0.113.9"),
        (notice(peer_address="192.168.20.9"), CAMERA, None),
        (notice(peer_address="203.0.113.53"), CAMERA, None),  # this host's
        (notice(mac=TV, peer_address="203.0.113.9"), None, "203.0.113.9"),  # the router
        (notice(evidence={"blame": "peer"}, peer_address="203.0.113.9"), None, "203.0.113.9"),
        (notice(kind="flood", peer_address="203.0.113.9"), CAMERA, None),  # the victim
        (notice("domain bad.example", kind="threat_domain"), CAMERA, "bad.example"),
        (notice(evidence={"blame": "unknown"}, peer_address="192.168.20.9"), None, None),
        (notice(kind="blocked", subject="rule"), None, None),  # nobody did anything
    ):
        sensor.journal.note(dataclasses.replace(told, time=sensor.later()))
        (written,) = await sensor.journal.write()
        event = await sensor(GetEvent(written.seq))
        assert (event["culprit"], event["blockable_peer"]) == (culprit, peer), told


async def test_an_event_is_asked_for_by_its_number(sensor: Sensor) -> None:
    assert (await sensor(GetEvent(1)))["subject"] == "domain new.example"
    for seq in (0, 9, -1, 2**70):
        assert await code(sensor, GetEvent(seq)) == "not_found"


async def test_what_was_accepted_is_served_for_the_like_of_it_only(
    sensor: Sensor, tmp_path: Path
) -> None:
    assert list(sensor.accepted.of(notice())) == []
    assert (await sensor(AcceptEvent(1)))["seq"] == 1
    (evidence,) = sensor.accepted.of(notice())
    assert evidence["value"] == 1.0
    for other in (notice("domain other.example"), notice(mac=TV), notice(kind="beacon")):
        assert list(sensor.accepted.of(other)) == []
    assert sensor.profiles.of(CAMERA, 0).facets["domain"].is_known("new.example")
    again = Sensor(tmp_path)
    assert list(again.accepted.of(notice())) == [evidence]
    again.close()


async def test_accepting_twice_is_accepting_once(sensor: Sensor) -> None:
    await sensor(AcceptEvent(1))
    await sensor(AcceptEvent(1))
    assert [each["seq"] for each in await sensor(GetAccepted())] == [1]


async def test_what_was_accepted_is_in_the_profile_on_disk_when_it_is_answered(
    sensor: Sensor, tmp_path: Path
) -> None:
    await sensor(AcceptEvent(1))
    again = Sensor(tmp_path)
    assert again.profiles.of(CAMERA, 0).facets["domain"].is_known("new.example")
    again.close()


async def test_accepting_again_makes_known_again(sensor: Sensor, tmp_path: Path) -> None:
    """As if the sensor had been killed before the profile was on disk."""
    await sensor(AcceptEvent(1))
    sensor.profiles.forget(CAMERA)
    await sensor(AcceptEvent(1))
    again = Sensor(tmp_path)
    for each in (sensor, again):
        assert each.profiles.of(CAMERA, 0).facets["domain"].is_known("new.example")
    again.close()


async def test_an_acceptance_is_taken_back(sensor: Sensor, tmp_path: Path) -> None:
    await sensor(AcceptEvent(1))
    (known,) = await sensor(GetAccepted())
    assert (known["mac"], known["kind"]) == (CAMERA, "unexpected_destination")
    assert await sensor(RevokeAccepted(known["id"])) == known
    assert list(sensor.accepted.of(notice())) == []
    assert await code(sensor, RevokeAccepted(known["id"])) == "not_found"
    again = Sensor(tmp_path)
    assert len(again.accepted) == 0
    again.close()


async def test_what_can_not_be_accepted(sensor: Sensor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await code(sensor, AcceptEvent(9)) == "not_found"
    assert await code(sensor, AcceptEvent(2)) == "invalid_message"  # a rule's
    assert await code(sensor, AcceptEvent(3)) == "invalid_message"  # about nobody
    monkeypatch.setattr(accepted_events, "MAX_ACCEPTED", 1)
    await sensor(AcceptEvent(4))
    assert await code(sensor, AcceptEvent(1)) == "invalid_message"
    assert list(sensor.accepted.of(notice(mac=None, address="192.168.20.9")))


async def test_a_full_disk_accepts_nothing(sensor: Sensor) -> None:
    sensor.store.close()
    assert await code(sensor, AcceptEvent(1)) == "storage_failed"
    assert await code(sensor, SetHints({CAMERA: Hint(True)})) == "storage_failed"
    assert len(sensor.accepted) == 0
    assert sensor.policy.device(CAMERA).local is None


async def test_any_mac_of_a_device_has_what_was_accepted_of_it(tmp_path: Path) -> None:
    sensor = Sensor(tmp_path, {CAMERA: TV})
    sensor.journal.note(notice())
    await sensor.journal.write()
    await sensor(AcceptEvent(1))
    assert list(sensor.accepted.of(notice(mac=TV)))
    assert list(sensor.accepted.of(notice(mac=CAMERA)))
    assert list(sensor.accepted.of(notice(mac=PHONE))) == []
    sensor.close()


async def test_forgetting_a_device_erases_its_acceptances_and_hints(
    sensor: Sensor, tmp_path: Path
) -> None:
    sensor.journal.note(notice("x", mac=TV, summary=f"tv talks to {CAMERA}"))
    await sensor.journal.write()
    await sensor(AcceptEvent(1))
    await sensor(AcceptEvent(5))
    await sensor(SetHints({CAMERA: Hint(True), TV: Hint(False)}))
    sensor.store.erase((CAMERA,))
    sensor.accepted.forget((CAMERA,))
    sensor.policy.forget((CAMERA,))
    for each in (sensor, again := Sensor(tmp_path)):
        assert len(each.accepted) == 0
        assert dict(each.policy.hints) == {TV: Hint(False)}
    again.close()


async def test_hints_are_replaced_and_kept(sensor: Sensor, tmp_path: Path) -> None:
    await sensor(SetHints({CAMERA.upper(): Hint(True, ("iot", "iot"))}))
    assert sensor.policy.device(CAMERA).local is True
    assert sensor.policy.device(CAMERA).labels == ("iot",)
    await sensor(SetHints({TV: Hint(local=False)}))
    assert sensor.policy.device(CAMERA).local is None
    again = Sensor(tmp_path)
    assert dict(again.policy.hints) == {TV: Hint(False)}
    again.close()


async def test_hints_are_bounded_and_checked(sensor: Sensor) -> None:
    many = {f"02:00:00:00:{n // 256:02x}:{n % 256:02x}": Hint(True) for n in range(MAX_HINTS + 1)}
    assert len((await sensor(SetHints(many)))["refused"]) == 1
    assert len(sensor.policy.hints) == MAX_HINTS
    del many["02:00:00:00:00:00"]
    await sensor(SetHints(many))
    too_many = tuple(map(str, range(65)))
    for labels in (("",), ("x" * 65,), ("a\x1b",), too_many):
        answer = await sensor(SetHints({TV: Hint(None, labels)}))
        assert answer["refused"].keys() == {TV}
    assert sensor.policy.device(TV).labels == tuple(sorted(too_many[:64]))


async def test_a_bad_hint_keeps_out_no_other(sensor: Sensor) -> None:
    given = {CAMERA: Hint(True, ("iot", "", "x" * 65)), "camera": Hint(), TV: Hint(False)}
    refused = (await sensor(SetHints(given)))["refused"]
    assert refused.keys() == {CAMERA, "camera"}
    assert "1 to 64 printable characters" in refused[CAMERA]
    assert dict(sensor.policy.hints) == {CAMERA: Hint(True, ("iot",)), TV: Hint(False)}
    assert await sensor(SetHints({TV: Hint(False)})) == {"refused": {}}


async def test_the_policy_is_told_and_changed(sensor: Sensor, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    told = PolicyReport.from_wire(await sensor(GetPolicy()))
    assert told == PolicyReport(str(path), False, {}, None, places=False)
    said = await sensor(SetPolicy(f"device {CAMERA}", {"local": True}))
    assert said["document"] == {"device": {CAMERA: {"local": True}}}
    assert sensor.policy.device(CAMERA).local is True
    assert await code(sensor, SetPolicy("all", {"local": 3})) == "invalid_policy"
    assert await code(sensor, SetPolicy("some", {})) == "invalid_policy"
    path.write_text("[all]\nlocal = 3\n")
    said = await sensor(GetPolicy())
    assert "true or false" in said["problem"]
    assert said["document"] == {"device": {CAMERA: {"local": True}}}
    assert sensor.policy.device(CAMERA).local is True


async def test_a_profile_is_told_frozen_and_begun_anew(sensor: Sensor) -> None:
    await sensor(AcceptEvent(1))
    told = ProfileReport.from_wire(await sensor(GetProfile(CAMERA.upper())))
    assert (told.mac, told.frozen) == (CAMERA, False)
    assert [each.name for each in told.domains] == ["new.example"]
    assert [each.seq for each in told.accepted] == [1]
    assert (await sensor(SetProfile(CAMERA, "freeze")))["frozen"] is True
    assert (await sensor(GetProfile(CAMERA)))["frozen"] is True
    assert (await sensor(SetProfile(CAMERA, "unfreeze")))["frozen"] is False
    assert (await sensor(SetProfile(CAMERA, "reset")))["domains"] == ()
    assert await code(sensor, GetProfile(PHONE)) == "not_found"
    assert await code(sensor, SetProfile("camera", "reset")) == "invalid_target"


async def test_what_is_said_of_a_profile_is_on_disk_when_it_is_answered(
    sensor: Sensor, tmp_path: Path
) -> None:
    await sensor(AcceptEvent(1))
    for action, frozen in (("freeze", True), ("unfreeze", False), ("freeze", True)):
        await sensor(SetProfile(CAMERA, action))  # type: ignore[arg-type]
        again = Sensor(tmp_path)
        assert again.profiles.of(CAMERA, 0).frozen is frozen
        assert again.profiles.of(CAMERA, 0).facets["domain"].is_known("new.example")
        again.close()
    await sensor(SetProfile(CAMERA, "reset"))
    again = Sensor(tmp_path)
    assert len(again.profiles.of(CAMERA, 0)) == 0
    assert not again.profiles.of(CAMERA, 0).frozen
    again.close()
    sensor.store.close()
    assert await code(sensor, SetProfile(CAMERA, "freeze")) == "storage_failed"
    assert not sensor.profiles.of(CAMERA, 0).frozen


def test_a_damaged_row_is_no_reason_to_fail(tmp_path: Path) -> None:
    sensor = Sensor(tmp_path)
    sensor.store._connection.execute("INSERT INTO hints VALUES ('x', '[1]')")
    sensor.store._connection.commit()
    sensor.close()
    again = Sensor(tmp_path)
    assert dict(again.policy.hints) == {}
    again.close()


def test_what_can_not_be_read_of_the_users_word_costs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "devices.db"
    store = Store(path)
    store.rename([CAMERA], "camera")
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO hints VALUES ('x', 'no JSON'), ('y', '{\"local\": true}')")
        row = "(1, 1, 'flood', 'm', NULL, 's', 'sentence', ?)"
        columns = "time, seq, kind, mac, address, subject, summary, evidence"
        for evidence in ("{", "{}"):
            connection.execute(f"INSERT INTO accepted ({columns}) VALUES {row}", (evidence,))
    store = Store(path)
    assert store.chosen().names == {CAMERA: "camera"}
    assert store.hints() == {"y": Hint(local=True)}
    assert [each.id for each in store.accepted()] == [2]
    store.close()


async def test_what_is_taken_back_is_told_again_at_once(sensor: Sensor) -> None:
    sensor.journal.note(notice(time=sensor.now))
    (event,) = await sensor.journal.write()
    await sensor(AcceptEvent(event.seq))
    (known,) = await sensor(GetAccepted())
    sensor.journal.note(notice(time=sensor.now + 1))
    assert not await sensor.journal.write()
    await sensor(RevokeAccepted(known["id"]))
    sensor.journal.note(notice(time=sensor.now + 2))
    assert [each.subject for each in await sensor.journal.write()] == [event.subject]
