"""The MQTT sink and mosquitto: what is published, what is not believed, and what happens while the broker is away."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_socket

from hearthwall_sensor.protocol import Event, SensorError
from hearthwall_sensor.requests import AddBlock, RemoveBlock, Request
from hearthwall_sensor.sinks.mqtt import MqttSink
from hearthwall_sensor.sinks.mqtt_orders import BURST
from hearthwall_sensor.sinks.sink import SinkError
from tests.gateway.mosquitto import Broker, Watcher, configured
from tests.unit.receivers import CAMERA, SENSOR, camera, context, event, options, secret

pytestmark = pytest.mark.lab

ROOT = f"walls/{SENSOR}"


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    pytest_socket._remove_restrictions()  # before a test's own fixture does
    broker = configured(tmp_path_factory.mktemp("mqtt") / "broker", "127.0.0.1")
    broker.start()
    yield broker
    broker.stop()


class Home:
    """A sink with a sensor behind it that keeps what it is asked."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker = broker
        self.folder = folder
        self.asked: list[Request] = []
        self.devices = (camera(upload_rate=1000.4, download_rate=0.0),)
        self.sinks: list[MqttSink] = []

    async def call(self, request: Request) -> Any:
        self.asked.append(request)
        if isinstance(request, AddBlock) and request.target == "192.168.20.1":
            raise SensorError("protected_target", "192.168.20.1 is the gateway")
        assert isinstance(request, AddBlock | RemoveBlock)
        none = dict.fromkeys(("expires", "confirm_by", "first_hit", "last_hit", "latency_ms"))
        said = {"id": 3, "target": request.target, "kind": "mac", "mode": "isolate", "allow": []}
        return said | none | {"reason": "", "created": 1.0, "packets": 0, "bytes": 0}

    def sink(self, **more: Any) -> MqttSink:
        said = {
            "server": f"127.0.0.1:{self.broker.port}",
            "prefix": "walls",
            "username": "gateway",
            "password_file": secret(self.folder, "gatepw"),
        }
        given = {key: each for key, each in (said | more).items() if each is not None}
        known = context(call=self.call, devices=lambda: self.devices)
        sink = MqttSink(options("mqtt", **given), known)
        self.sinks.append(sink)
        return sink


@pytest.fixture
async def home(standing: Broker, tmp_path: Path) -> AsyncIterator[Home]:
    home = Home(standing, tmp_path)
    yield home
    for each in home.sinks:
        await each.close()


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def sent(sink: MqttSink, *events: Event) -> None:
    """Send again and again, as a delivery does."""
    async with asyncio.timeout(15):
        while True:
            try:
                await sink.send(events)
            except SinkError:
                await asyncio.sleep(0.1)
            else:
                return


async def test_events_are_published_and_acknowledged(home: Home) -> None:
    with home.broker.watching() as watcher:
        sink = home.sink()
        await sink.start()
        await sink.send([event(seq) for seq in range(1, 101)])
        await until(lambda: len(watcher.on("/event")) == 100)
        told = watcher.on("/event")
        assert [each["seq"] for each in told] == list(range(1, 101))
        assert (
            told[0]
            == {
                "sensor": SENSOR,
                "device": "front door",
                "manufacturer": None,
            }
            | event(1).to_wire()
        )
        assert not any(kept for topic, _, kept in watcher.seen if topic == f"{ROOT}/event")


async def test_the_status_stays_and_says_when_nothing_is_told_any_more(home: Home) -> None:
    def status(watcher: Watcher) -> list[str]:
        return [payload for topic, payload, _ in watcher.seen if topic == f"{ROOT}/status"]

    with home.broker.watching() as watcher:
        sink = home.sink()
        await sink.start()
        await until(lambda: status(watcher)[-1:] == ["online"])
        with home.broker.watching() as later:
            await until(lambda: (f"{ROOT}/status", "online", True) in later.seen)
        await sink.close()
        await until(lambda: status(watcher)[-1:] == ["offline"])
        again = home.sink()
        await again.start()
        await until(lambda: status(watcher)[-1:] == ["online"])
        # As a crash does it: no goodbye, so the broker says what was left with it
        assert again._broker is not None
        again._broker._client.socket().close()
        await until(lambda: status(watcher)[-1:] == ["offline"])


async def test_devices_rates_are_told_once_they_move(home: Home) -> None:
    still = camera(mac="00:00:5e:00:53:22")
    home.devices = (*home.devices, still)
    with home.broker.watching() as watcher:
        await home.sink(rates=1).start()
        await until(lambda: watcher.on(f"/device/{CAMERA}/rate"))
        assert watcher.on(f"/device/{CAMERA}/rate")[0] == {"upload": 1000, "download": 0}
        home.devices = (camera(upload_rate=0.0, download_rate=0.0), still)
        await until(
            lambda: watcher.on(f"/device/{CAMERA}/rate")[-1] == {"upload": 0, "download": 0}
        )
        count = len(watcher.on("/rate"))
        await asyncio.sleep(1.5)
        assert len(watcher.on("/rate")) == count, "what stands still is not told again"
        assert watcher.on(f"/device/{still.mac}/rate") == []
        assert not any(kept for topic, _, kept in watcher.seen if topic.endswith("/rate"))


async def test_tls_and_passwords_are_looked_at(home: Home) -> None:
    made, tls = home.broker.made, {"tls": True, "server": f"127.0.0.1:{home.broker.tls_port}"}
    for more, said in (
        ({"password_file": secret(home.folder, "wrong", "wrong")}, "user name"),
        ({"username": None, "password_file": None}, "user name"),
        (tls, "its certificate is not trusted"),
        (tls | {"fingerprint": "00" * 32}, "its certificate is not trusted"),
        ({"server": "127.0.0.1:1"}, "Connection refused"),
    ):
        sink = home.sink(**more)
        with pytest.raises(SinkError, match=said) as failed:
            await sink.start()
        assert "gatepw" not in str(failed.value)
    for more in ({"fingerprint": made.fingerprint}, {"ca_file": str(made.path)}):
        sink = home.sink(**tls, **more, client_id=f"one-{len(more)}-{next(iter(more))}")
        await sink.start()
        await sink.send([event()])


async def test_a_broker_that_goes_and_comes_back_gets_what_it_missed_once(tmp_path: Path) -> None:
    broker = configured(tmp_path / "broker", "127.0.0.1")
    broker.start()
    home = Home(broker, tmp_path)
    sink = home.sink()
    try:
        await sink.start()
        await sink.send([event(1)])
        await asyncio.to_thread(broker.stop)
        with pytest.raises(SinkError) as failed:
            await sink.send([event(2), event(3)])
        assert failed.value.delivered == 0
        await asyncio.to_thread(broker.start)
        with broker.watching() as watcher:
            await sent(sink, event(2), event(3))
            await until(lambda: len(watcher.on("/event")) == 2)
            await asyncio.sleep(0.5)
            assert [each["seq"] for each in watcher.on("/event")] == [2, 3]
    finally:
        await sink.close()
        broker.stop()


# Orders

type Ordering = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def watcher(home: Home) -> AsyncIterator[Watcher]:
    with home.broker.watching() as watcher:
        yield watcher


async def ordered(
    home: Home, watcher: Watcher, payload: str, user: str = "automation", *more: str
) -> list[Any]:
    """Publish an order, and return the answers that there are then."""
    count = len(watcher.on("/command/result"))
    await asyncio.to_thread(home.broker.publish, user, f"{ROOT}/command", payload, *more)
    await until(lambda: len(watcher.on("/command/result")) > count, 5)
    return watcher.on("/command/result")[count:]


async def test_an_order_is_carried_out_and_answered(home: Home, watcher: Watcher) -> None:
    await home.sink(commands=True).start()
    said = {"id": "a1", "command": "quarantine", "target": CAMERA}
    (answer,) = await ordered(home, watcher, json.dumps(said))
    assert (answer["id"], answer["ok"], answer["rule"]["target"]) == ("a1", True, CAMERA)
    (answer,) = await ordered(home, watcher, json.dumps(said | {"command": "release", "id": "a2"}))
    assert (answer["id"], answer["ok"]) == ("a2", True)
    assert [type(each) for each in home.asked] == [AddBlock, RemoveBlock]
    said = {"id": "a3", "command": "block", "target": "192.168.20.1"}
    (answer,) = await ordered(home, watcher, json.dumps(said))
    assert (answer["ok"], answer["error"]["code"]) == (False, "protected_target")
    for garbage in ("{", "[]", '{"id": "x"}', "\u202e", "{" * 4000, "x" * 100_000):
        (answer,) = await ordered(home, watcher, garbage)
        assert answer["ok"] is False
    assert len(home.asked) == 3


async def test_without_the_option_nothing_is_listened_for(home: Home, watcher: Watcher) -> None:
    sink = home.sink()
    await sink.start()
    said = json.dumps({"id": "a", "command": "quarantine", "target": CAMERA})
    await asyncio.to_thread(home.broker.publish, "automation", f"{ROOT}/command", said)
    await sink.send([event()])
    await until(lambda: watcher.on("/event"))
    assert (home.asked, watcher.on("/result")) == ([], [])


async def test_an_order_that_the_broker_keeps_is_carried_out_when_it_is_given_and_never_again(
    home: Home, watcher: Watcher
) -> None:
    said = json.dumps({"id": "kept", "command": "quarantine", "target": CAMERA})
    publish = home.broker.publish
    sink = home.sink(commands=True)
    await sink.start()
    await asyncio.to_thread(publish, "automation", f"{ROOT}/command", said, "-r")
    try:
        await until(lambda: home.asked)
        await sink.close()
        home.asked.clear()
        await home.sink(commands=True).start()
        (answer,) = await ordered(home, watcher, said.replace("kept", "new"))
        assert answer["id"] == "new"
        assert len(home.asked) == 1
    finally:
        await asyncio.to_thread(publish, "automation", f"{ROOT}/command", "", "-r")


async def test_who_may_not_publish_orders_nothing(home: Home, watcher: Watcher) -> None:
    await home.sink(commands=True).start()
    said = json.dumps({"id": "guest", "command": "quarantine", "target": CAMERA})
    await asyncio.to_thread(home.broker.publish, "guest", f"{ROOT}/command", said)
    (answer,) = await ordered(home, watcher, said.replace("guest", "automation"))
    assert (answer["id"], len(home.asked)) == ("automation", 1)


async def test_a_flood_of_orders_is_cut_short(home: Home, watcher: Watcher) -> None:
    sink = home.sink(commands=True)
    await sink.start()
    said = json.dumps({"id": "x", "command": "quarantine", "target": CAMERA})
    flood = "\n".join([said] * 500)
    line = [*home.broker.publisher("automation", f"{ROOT}/command", "")[:-2], "-l"]
    process = await asyncio.create_subprocess_exec(*line, stdin=asyncio.subprocess.PIPE)
    await process.communicate(flood.encode())
    await sink.send([event()])
    await until(lambda: watcher.on("/event"))
    answers = watcher.on("/command/result")
    assert len(home.asked) <= BURST + 5
    assert sum(not each["ok"] for each in answers) <= 5
    assert {each["error"]["code"] for each in answers if not each["ok"]} == {"too_many_orders"}
