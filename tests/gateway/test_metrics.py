"""Metrics of a sensor with real traffic, as Debian's own Prometheus scrapes them."""

import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from lab import Lab
from lab.home import DEVICES, HOSTS
from tests.gateway.inside import inside, trusting
from tests.gateway.sensor_process import REPOSITORY, SensorProcess, until

pytestmark = pytest.mark.lab

EXAMPLES = REPOSITORY / "docs" / "examples" / "prometheus"
HOST, PORT = "192.168.10.1", 8447
LISTEN = ("--listen", f"{HOST}:{PORT}")
CAMERA = DEVICES["camera"]
PEER = str(HOSTS["internet"].ipv4)


@pytest.fixture
def listening(idle: SensorProcess, tmp_path: Path) -> Iterator[SensorProcess]:
    """A sensor that listens for other hosts and names devices by pseudonyms."""
    settings = tmp_path / "sensor.toml"
    settings.write_text('metrics_devices = "pseudonym"\n')
    yield idle.start(*LISTEN, "--config", str(settings))
    assert "Traceback" not in idle.log.read_text()


def ping(lab: Lab, count: int) -> None:
    """Let the camera send packets to the internet, and wait for an answer no longer than that takes."""
    lab.run("camera", ["ping", "-q", "-c", str(count), "-i", "0.01", "-W", "1", PEER])


def packets(sensor: SensorProcess, mac: str) -> int:
    """Return how many packets a device has sent, as the sensor says."""
    device = sensor.device(mac)
    assert device is not None
    return int(device["upload_packets"])


class Prometheus:
    """A Prometheus on the laptop, on its loopback interface."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab = lab
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, config: dict[str, Any]) -> None:
        (self._folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        line = [
            "prometheus",
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            "--web.listen-address=127.0.0.1:9090",
        ]
        with (self._folder / "prometheus.log").open("w") as log:
            self._process = subprocess.Popen(
                self._lab.argv("laptop", line), stdout=log, stderr=subprocess.STDOUT
            )

    def ask(self, path: str, **parameters: str) -> Any:
        """Return what its API answers, None while it does not."""
        query = urllib.parse.urlencode(parameters)
        try:
            with (
                inside(self._lab, "laptop"),
                urllib.request.urlopen(
                    f"http://127.0.0.1:9090/api/v1/{path}?{query}", timeout=5
                ) as answer,
            ):
                return json.load(answer)["data"]
        except OSError:
            return None

    def value(self, query: str) -> float | None:
        """Return the one value of a query, None while there is none."""
        found = self.ask("query", query=query)
        return float(found["result"][0]["value"][1]) if found and found["result"] else None

    def target(self, job: str) -> tuple[str, str]:
        """Return whether a job's target is up, and its last error."""
        targets = (self.ask("targets") or {"activeTargets": []})["activeTargets"]
        return next(
            (
                (each["health"], each["lastError"])
                for each in targets
                if each["labels"]["job"] == job
            ),
            ("", ""),
        )

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)


@pytest.fixture
def prometheus(lab: Lab, tmp_path: Path) -> Iterator[Prometheus]:
    folder = tmp_path / "prometheus"
    shutil.copytree(EXAMPLES, folder)
    running = Prometheus(lab, folder)
    yield running
    running.stop()


def configuration(folder: Path, sensor: SensorProcess) -> dict[str, Any]:
    """Return the example's configuration for this sensor, and jobs that must not come in beside it."""
    token = sensor.call("token", "Prometheus", "--role", "metrics")["token"]
    (folder / "hearthwall.token").write_text(token)
    (folder / "wrong.token").write_text("x" * 43)
    (folder / "hearthwall.pem").write_text(sensor.say("certificate"))
    config: dict[str, Any] = yaml.safe_load((EXAMPLES / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = config["scrape_configs"]
    job["static_configs"][0]["targets"] = [f"{HOST}:{PORT}"]
    config["scrape_configs"] += [
        job | {"job_name": "no_token", "authorization": {"credentials_file": "wrong.token"}},
        job | {"job_name": "no_name", "tls_config": job["tls_config"] | {"server_name": "another"}},
        job | {"job_name": "no_authority", "tls_config": {"server_name": "hearthwall-sensor"}},
    ]
    return config


def test_a_real_prometheus_has_what_the_sensor_counted(
    lab: Lab, listening: SensorProcess, prometheus: Prometheus, tmp_path: Path
) -> None:
    prometheus.start(configuration(tmp_path / "prometheus", listening))
    ping(lab, 50)
    assert until(lambda: prometheus.target("hearthwall") == ("up", ""), 30)
    camera = str(CAMERA.mac)

    def counted(way: str) -> float:
        device = listening.device(camera)
        assert device is not None
        return float(device["by_scope"]["internet"][f"{way}_packets"])

    for way in ("upload", "download"):
        query = f'hearthwall_traffic_packets_total{{direction="{way}",scope="internet"}}'
        assert counted(way) >= 50
        assert until(lambda query=query, way=way: prometheus.value(query) == counted(way))  # type: ignore[misc]
    # By a pseudonym, but it is the camera: the laptop, which scrapes, has sent another number of packets each time
    sent = 'count(hearthwall_device_packets_total{direction="upload"} == %d)'
    assert until(lambda: prometheus.value(sent % packets(listening, camera)) == 1)
    assert prometheus.value('hearthwall_events_total{kind="new_device",severity="info"}') == len(
        listening.call("events", "--kind", "new_device", "--severity", "info")
    )

    listening.call("block", camera)
    ping(lab, 20)
    (block,) = listening.call("blocks")
    assert block["packets"] >= 20
    held = 'hearthwall_rule_packets_total{mode="isolate"}'
    assert until(lambda: prometheus.value(held) == listening.call("blocks")[0]["packets"])
    assert prometheus.value('hearthwall_devices_restricted{mode="isolate"}') == 1
    before = prometheus.value(held)
    assert before is not None
    listening.call("unblock", camera)
    assert until(lambda: prometheus.value('hearthwall_rules{mode="isolate"}') == 0)
    assert (prometheus.value(held) or 0) >= before

    types = prometheus.ask("metadata", metric="hearthwall_traffic_bytes")
    assert types["hearthwall_traffic_bytes"][0]["type"] == "counter"  # it asked for OpenMetrics
    groups = prometheus.ask("rules")["groups"]
    assert {each["health"] for group in groups for each in group["rules"]} == {"ok"}
    firing = {each["labels"]["alertname"] for each in prometheus.ask("alerts")["alerts"]}
    assert not firing & {"HearthwallLosing", "HearthwallGraveEvent", "HearthwallMemory"}

    # Nobody else comes in, and who is not what the certificate says is not believed
    assert "401" in prometheus.target("no_token")[1]
    assert "hearthwall-sensor, not another" in prometheus.target("no_name")[1]
    assert "certificate" in prometheus.target("no_authority")[1]
    listening.call("token", "Prometheus", "--revoke")
    assert until(lambda: "401" in prometheus.target("hearthwall")[1])


def test_promtool_finds_no_fault(listening: SensorProcess, lab: Lab, tmp_path: Path) -> None:
    ping(lab, 5)
    folder = tmp_path / "prometheus"
    shutil.copytree(EXAMPLES, folder)
    configuration(folder, listening)

    def promtool(*arguments: str, given: str = "") -> None:
        done = subprocess.run(
            ["promtool", *arguments],
            cwd=folder,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, "FAILED" in done.stdout + done.stderr) == (0, False), done

    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", "--lint=all", "--lint-fatal", "hearthwall.rules.yml")
    promtool("test", "rules", "hearthwall.test.yml")
    classic = listening.say("metrics", "--classic")
    assert "hearthwall_device_bytes_total{" in classic
    promtool("check", "metrics", given=classic)
    with pytest.raises(AssertionError):  # it does look
        promtool("check", "metrics", given="# TYPE wrong_total gauge\nwrong_total 1\n")


async def test_other_hosts_scrape_with_a_token_only(lab: Lab, listening: SensorProcess) -> None:
    token = listening.call("token", "Prometheus", "--role", "metrics")["token"]
    good = {"Authorization": f"Bearer {token}"}

    async def asked(method: str, path: str = "/metrics", **headers: str) -> tuple[int, str, str]:
        with inside(lab, "laptop"):
            async with (
                aiohttp.ClientSession() as session,
                session.request(
                    method, f"https://{HOST}:{PORT}{path}", headers=headers, ssl=trusting()
                ) as answer,
            ):
                return answer.status, answer.content_type, await answer.text()

    assert (await asked("GET"))[::2] == (401, "")
    assert (await asked("GET", Authorization="Bearer nonsense"))[::2] == (401, "")
    status, content_type, body = await asked("GET", Accept="application/openmetrics-text", **good)
    assert (status, content_type) == (200, "application/openmetrics-text")
    assert body.endswith("# EOF\n")
    assert "python-aiohttp" not in body
    assert (await asked("POST", **good))[0] == 405
    assert (await asked("HEAD", **good))[0] == 200
    assert (await asked("GET", "/ws", **good))[::2] == (
        403,
        "this token is good for metrics only\n",
    )
    turned_away = "hearthwall_turned_away_connections_total 2.0"  # made up once a second
    assert until(lambda: turned_away in listening.say("metrics"))


def named(text: str) -> dict[str, float]:
    """Return what each device has sent, by the name that metrics give it."""
    found = re.findall(
        r'^hearthwall_device_packets_total\{device="([0-9a-f]{12})",direction="upload"\} (\S+)$',
        text,
        re.MULTILINE,
    )
    return {name: float(value) for name, value in found}


def test_a_pseudonym_and_its_totals_stay_and_say_nothing(
    lab: Lab, listening: SensorProcess, tmp_path: Path
) -> None:
    ping(lab, 30)
    assert until(lambda: max(named(listening.say("metrics")).values(), default=0) >= 30)
    text = listening.say("metrics")
    before = named(text)
    devices = listening.call("devices")
    assert len(before) == len(devices)
    for device in devices:
        assert device["mac"] not in text
        assert not any(address in text for address in device["addresses"])
    listening.stop()
    listening.start(*LISTEN, "--config", str(tmp_path / "sensor.toml"))
    after = named(listening.say("metrics"))
    assert set(before) <= set(after)
    assert all(after[name] >= value for name, value in before.items())
    # What the home moved begins anew, since that is a sum over devices that come and go
    assert 'hearthwall_events_total{kind="new_device",severity="info"} 0.0' in listening.say(
        "metrics"
    )
