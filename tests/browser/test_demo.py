"""scripts/demo survives its own violent end, checks itself in a real browser and leaves nothing behind."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from demo.api import Api
from demo.stage import FOLDER
from lab.lab import names

ROOT = Path(__file__).resolve().parents[2]
NAME = f"d{os.getpid()}"
PINS = Path("/sys/fs/bpf/hearthwall")
PICTURES = (
    "home",
    "quarantine",
    "quarantine-dark",
    "quarantine-phone",
    "quarantine-phone-dark",
    "released",
)
LOG_IN = "/auth/login_flow"
#: Until Home Assistant has read a file anew.
SECONDS = 30
#: What a blank page has not; it has one or two colours, and a loading one some dozens.
COLOURS = 200

# The first run on a machine makes the venv that runs Home Assistant
pytestmark = [pytest.mark.lab, pytest.mark.browser, pytest.mark.timeout(600)]

type Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a demo; what still runs at the end is ended as by Ctrl-C."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        demo = subprocess.Popen(
            [ROOT / "scripts" / "demo", "--name", NAME, *arguments],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(demo)
        return demo

    yield start
    for demo in started:
        if demo.poll() is None:
            demo.send_signal(signal.SIGINT)
            demo.communicate()


def left() -> list[str]:
    """What there is of this demo: its folder, its lab, its pins, its processes."""
    found = [str(FOLDER / NAME)] if (FOLDER / NAME).exists() else []
    found += [f"lab {name}" for name in names() if name == NAME]
    found += [str(pins) for pins in PINS.glob(f"*-{NAME}-*")]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if f"{FOLDER}/{NAME}/" in command:
            found.append(command)
    return found


def test_the_demo_checks_itself_after_one_that_was_killed(start: Start, tmp_path: Path) -> None:
    killed = start()
    assert killed.stdout is not None
    before = ""
    for line in killed.stdout:
        before += line
        if "Password:" in line:
            break
    else:
        pytest.fail(before)
    assert re.search(r"http://localhost:\d+/hearthwall-home", before)
    killed.kill()
    killed.wait()
    assert left()

    demo = start("--headless-check", "--screenshots", "pictures")
    output, _ = demo.communicate()
    assert demo.returncode == 0, output
    assert "taking down what an earlier demo left" in output
    last = re.findall(r"^\[(\d+)/(\d+) ", output, re.MULTILINE)[-1]
    assert last[0] == last[1], output
    for picture in PICTURES:
        with Image.open(tmp_path / "pictures" / f"{picture}.png") as image:
            colours = image.convert("RGB").getcolors(image.width * image.height)
        assert len(colours) > COLOURS, picture
    assert left() == []


@pytest.mark.usefixtures("socket_enabled")
async def test_what_a_visitor_does_in_the_demo_works_and_stays(start: Start) -> None:
    demo = start()
    assert demo.stdout is not None
    said = ""
    for line in demo.stdout:
        said += line
        if "Password:" in line:
            break
    told = re.search(r"(http://localhost:\d+)/\S+\s+User: +(\S+)\s+Password: (\S+)", said)
    assert told, said
    async with Api(told[1]) as api:
        asked = {"client_id": api.client_id, "redirect_uri": api.client_id}
        flow = await api.post(LOG_IN, {"handler": ["homeassistant", None], **asked})
        answer = {"client_id": api.client_id, "username": told[2], "password": told[3]}
        await api.authorise((await api.post(f"{LOG_IN}/{flow['flow_id']}", answer))["result"])
        for question, answered in (
            ("Which device used the most data today?", " used the most data today: "),
            ("Is the living room TV quarantined?", "No, TV is not quarantined."),
        ):
            reply = await api.post("/api/conversation/process", {"text": question})
            assert answered in reply["response"]["speech"]["plain"]["speech"]
        assert await api.command("assist_pipeline/pipeline/list"), "for Assist in the page"
        for kind, content in (
            ("automation", {"triggers": [], "actions": []}),
            ("script", {"sequence": []}),
            ("scene", {"entities": {}}),
        ):
            path = f"/api/config/{kind}/config/mine"
            name = {"name": "Mine"} if kind == "scene" else {"alias": "Mine"}
            await api.post(path, {**name, **content})
            async with asyncio.timeout(SECONDS):  # it is read from its file
                while not any(
                    each["entity_id"] == f"{kind}.mine" for each in await api.command("get_states")
                ):
                    await asyncio.sleep(0.2)
