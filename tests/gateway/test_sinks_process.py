"""The process that delivers: what it may, what is told while it hangs, and that it has the settings of the start."""

import json
import os
import re
import signal
import stat
from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from lab.home import DEVICES
from tests.gateway.log_servers import child_of, end
from tests.gateway.sensor_process import Refused, SensorProcess, until

pytestmark = pytest.mark.lab

CAMERA = DEVICES["camera"]


def config(folder: Path) -> Path:
    """Return settings with a sink that works, and one whose receiver is not there."""
    path = folder / "sensor.toml"
    path.write_text(f"""
[[sink]]
name = "log"
type = "file"
path = "{folder}/log/events.json"

[[sink]]
name = "mail"
type = "smtp"
server = "127.0.0.1:9"
tls = "none"
from = "gateway@example.org"
to = ["me@example.org"]
""")
    return path


def states(sensor: SensorProcess) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in sensor.call("status")["sinks"]}


def numbers(folder: Path) -> list[int]:
    text = (folder / "log" / "events.json").read_text()
    return [json.loads(each)["event"]["sequence"] for each in text.splitlines()]


def test_whoever_sets_up_a_sink_knows_at_once_whether_it_works(
    lab: Lab, idle: SensorProcess, tmp_path: Path
) -> None:
    idle.start("--config", str(config(tmp_path)))
    assert until(lambda: states(idle)["log"]["reached"] is not None)
    assert until(lambda: "Connection refused" in str(states(idle)["mail"]["last_error"]))
    assert re.search(r"failing for \d+ s: .*; next try in \d+ s", idle.say("sinks"))
    tested = idle.call("sinks", "--test", "log")
    assert [each["failing_since"] for each in tested if each["name"] == "log"] == [None]
    assert numbers(tmp_path) == [0]
    assert states(idle)["log"]["delivered"] == 0
    for name, why in (("mail", "Connection refused"), ("phone", "no sink 'phone', but log, mail")):
        with pytest.raises(Refused, match=why):
            idle.call("sinks", "--test", name)


def test_a_process_that_hangs_is_told_and_gives_way_to_another(
    lab: Lab, idle: SensorProcess, tmp_path: Path
) -> None:
    path = config(tmp_path)
    idle.start("--config", str(path))
    assert until(lambda: states(idle)["log"]["reached"] is not None)
    path.write_text("[[sink]]\nname = 'log'\nnonsense = true\n")  # what the start read holds
    first = child_of(idle.pid, "here")
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    idle.call("block", CAMERA.mac)
    assert until(lambda: states(idle)["log"]["failing_since"] is not None, 20)
    assert "hangs" in states(idle)["log"]["last_error"]
    assert states(idle)["log"]["waiting"] == 1
    assert until(lambda: numbers(tmp_path) == [1], 60)
    assert until(lambda: states(idle)["log"]["failing_since"] is None)
    again = child_of(idle.pid, "here")
    assert again not in (None, first)
    end(int(again or 0))
    assert until(lambda: "ended" in str(states(idle)["log"]["last_error"]))
    idle.call("unblock", CAMERA.mac)
    assert until(lambda: numbers(tmp_path) == [1, 2])
    assert stat.S_IMODE((tmp_path / "log" / "events.json").stat().st_mode) == 0o600
