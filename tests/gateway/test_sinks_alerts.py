"""A sensor that tells of events by MQTT, webhook and e-mail, through failures and restarts, and takes orders."""

import asyncio
import contextlib
import functools
import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from hearthwall_sensor.client import Client, unix_session
from hearthwall_sensor.protocol import HOME_ASSISTANT
from hearthwall_sensor.sinks import forwarder, reading
from hearthwall_sensor.sinks.ledger import Ledger
from hearthwall_sensor.sinks.presence import Presence
from lab import Lab
from lab.home import DEVICES, SITES, WEB
from tests.gateway.inside import inside
from tests.gateway.mosquitto import Broker, configured, on_host
from tests.gateway.sensor_process import SensorProcess, until
from tests.unit.mailbox import Mailbox, free_port
from tests.unit.receivers import Certified, certified, secret

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]
BAD = SITES["bad.example"]
HERE = "127.0.0.1"


@dataclass
class Hook:
    """A web server on the gateway that takes what is posted."""

    lab: Lab
    port: int
    posted: list[dict[str, Any]] = field(default_factory=list)
    server: http.server.ThreadingHTTPServer | None = None

    def start(self) -> None:
        posted = self.posted

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        with inside(self.lab, "gateway"):
            self.server = http.server.ThreadingHTTPServer((HERE, self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()


@dataclass
class Receivers:
    """Three on the gateway, none of which is up yet, and the settings that name them."""

    lab: Lab
    broker: Broker
    hook: Hook
    box: Mailbox
    made: Certified
    smtp: Controller
    config: str

    def start(self) -> None:
        self.broker.start()
        self.hook.start()
        with inside(self.lab, "gateway"):
            self.smtp.start()

    def stop(self) -> None:
        self.broker.stop()
        self.hook.stop()
        with contextlib.suppress(AssertionError, AttributeError):  # it was not started
            self.smtp.stop(no_assert=True)


@pytest.fixture
def receivers(lab: Lab, tmp_path: Path) -> Iterator[Receivers]:
    broker = configured(tmp_path / "broker", HERE, on_host(lab, "gateway"))
    box, made = Mailbox(), certified(tmp_path)
    hook = Hook(lab, free_port())
    smtp = Controller(
        box,
        hostname=HERE,
        port=free_port(),
        tls_context=made.context,
        require_starttls=True,
        auth_required=True,
        authenticator=box.login,
    )
    config = tmp_path / "sensor.toml"
    config.write_text(f"""
[[sink]]
name = "broker"
type = "mqtt"
severity = "medium"
server = "{HERE}:{broker.tls_port}"
tls = true
fingerprint = "{broker.made.fingerprint}"
prefix = "walls"
topic = "home"
username = "gateway"
password_file = "{secret(tmp_path, "gatepw", "mqtt")}"
rates = 1

[[sink]]
name = "phone"
type = "webhook"
severity = "medium"
url = "http://{HERE}:{hook.port}/"

[[sink]]
name = "mail"
type = "smtp"
severity = "medium"
server = "{HERE}:{smtp.port}"
ca_file = "{made.path}"
username = "gateway"
password_file = "{secret(tmp_path, "t0psecret", "smtp")}"
from = "gateway@example.org"
to = ["me@example.org"]
""")
    receivers = Receivers(lab, broker, hook, box, made, smtp, str(config))
    yield receivers
    receivers.stop()


def states(sensor: SensorProcess) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in sensor.call("status")["sinks"]}


def meet(lab: Lab, sensor: SensorProcess, path: Path) -> None:
    """Have the camera meet what a list warns of, which is worth an event."""
    path.write_text(f"{BAD.ipv4}\n")
    sensor.call("feed", "list", str(path))
    lab.run("camera", ["ping", "-c1", "-W1", BAD.ipv4])


def passes(lab: Lab) -> bool:
    return lab.run("camera", ["ping", "-c1", "-W1", WEB.ipv4]).returncode == 0


def test_what_happens_while_nobody_listens_arrives_once_everywhere(
    lab: Lab, idle: SensorProcess, receivers: Receivers, tmp_path: Path
) -> None:
    idle.start("--config", receivers.config)
    assert until(lambda: len(states(idle)) == 3)
    meet(lab, idle, tmp_path / "list.txt")
    assert until(lambda: all(each["failing_since"] for each in states(idle).values()))
    said = json.dumps(states(idle))
    assert "Connection refused" in said
    for each in ("gatepw", "t0psecret"):
        assert each not in said + idle.log.read_text()
    assert until(lambda: all(each["waiting"] for each in states(idle).values()))
    idle.kill()
    receivers.start()
    with receivers.broker.watching() as watcher:
        idle.start("--config", receivers.config)
        assert until(lambda: [each["delivered"] for each in states(idle).values()] == [1] * 3, 30)
        (event,) = watcher.on("home/event")
        (message,) = receivers.hook.posted
        (mail,) = receivers.box.mails
        assert event["kind"] == "threat_address"
        assert message["event"] == {key: event[key] for key in message["event"]}
        assert event["summary"] in message["text"]
        assert event["summary"][:60] in str(mail["Subject"])
        # What devices move is told as well
        assert until(lambda: passes(lab) and bool(watcher.on(f"device/{CAMERA.mac}/rate")))
        # Orders are not taken unless the settings say so
        order = json.dumps({"id": "1", "command": "quarantine", "target": CAMERA.mac})
        receivers.broker.publish("automation", "walls/home/command", order)
        assert not until(lambda: bool(idle.call("blocks")), 1)
        assert [len(watcher.on("home/event")), len(receivers.hook.posted)] == [1, 1]
    assert idle.stop() == 0
    assert "Traceback" not in idle.log.read_text()


def test_orders_over_mqtt_block_and_release_a_device(
    lab: Lab, idle: SensorProcess, receivers: Receivers
) -> None:
    config = Path(receivers.config)
    config.write_text(
        config.read_text()
        .replace("rates = 1", "commands = true")
        .split('[[sink]]\nname = "phone')[0]
    )
    receivers.broker.start()
    with receivers.broker.watching() as watcher:
        idle.start("--config", receivers.config)
        assert until(lambda: any(topic == "walls/home/status" for topic, _, _ in watcher.seen))

        def ordered(**said: Any) -> dict[str, Any]:
            """Give an order and return its answer."""
            number = f"n{len(watcher.on('/result'))}"
            payload = json.dumps({"id": number} | said)
            receivers.broker.publish("automation", "walls/home/command", payload)
            answers = lambda: [each for each in watcher.on("/result") if each["id"] == number]  # noqa: E731
            assert until(lambda: bool(answers()))
            (answer,) = answers()
            return dict(answer)

        assert passes(lab)
        answer = ordered(command="quarantine", target=CAMERA.mac, duration="10m")
        assert answer["ok"], answer
        assert not passes(lab)
        (block,) = idle.call("blocks")
        assert (block["target"], block["reason"]) == (CAMERA.mac, "Ordered over MQTT")
        assert block["packets"] >= 1
        assert block["expires"] is not None
        assert ordered(command="release", target=CAMERA.mac)["ok"]
        assert passes(lab)

        for target in ("192.168.10.1", "192.168.10.0/24", "127.0.0.1"):
            refused = ordered(command="block", target=target)
            assert (refused["ok"], refused["error"]["code"]) == (False, "protected_target"), target
        assert ordered(command="unblock", target=CAMERA.mac)["error"]["code"] == "not_found"
        count = len(watcher.on("/result"))
        for garbage in ("\0\1\2", "{" * 4096, "x" * 200_000):
            line = receivers.broker.publisher("automation", "walls/home/command", "")[:-2]
            argv = [*line, "-s"]
            subprocess.run(argv, input=garbage.encode(), check=True, timeout=10)
        assert until(lambda: len(watcher.on("/result")) == count + 3)
        assert idle.call("blocks") == []
        assert passes(lab)
    assert "Traceback" not in idle.log.read_text()


async def test_a_sink_may_tell_only_what_no_home_assistant_heard(
    lab: Lab, sensor: SensorProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a client that names itself as Home Assistant does, and leaves."""
    # A minute is 1 s here; the sensor tells every 5 s who is there
    kept = Ledger(tmp_path / "sinks.json", presence=Presence(grace=1.0, look=6.0))
    monkeypatch.setattr(Ledger, "read", lambda _: kept)
    monkeypatch.setattr(forwarder, "_INTERVAL", 0.5)
    hook = Hook(lab, free_port())
    hook.start()
    sink = {"name": "deputy", "type": "webhook", "severity": "info", "when": "home_assistant_away"}
    sinks = reading.read([sink | {"url": f"http://{HERE}:{hook.port}/"}])
    call = functools.partial(asyncio.to_thread, sensor.call)

    async def count(wanted: int) -> None:
        async with asyncio.timeout(10):
            while (await call("status"))["home_assistants"] != wanted:
                await asyncio.sleep(0.2)

    with inside(lab, "gateway"):
        async with unix_session(sensor.socket) as session:
            home, own = Client(session, name=HOME_ASSISTANT), Client(session, name="forwarder")
            await home.connect()
            await home.subscribe(lambda _: None)
            await count(1)
            await own.connect()
            work = asyncio.ensure_future(forwarder.Forwarder(sinks, own, tmp_path).run())
            try:
                await asyncio.sleep(1)
                await call("block", CAMERA.mac)
                await asyncio.sleep(8)
                await home.close()
                await count(0)
                await call("unblock", CAMERA.mac)
                async with asyncio.timeout(20):
                    while not hook.posted:
                        await asyncio.sleep(0.1)
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                await own.close()
                hook.stop()
    assert [each["event"]["kind"] for each in hook.posted] == ["unblocked"]
