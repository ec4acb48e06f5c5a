"""The user says to the sensor whatever its socket takes."""

import json
from typing import Any

import pytest

from hearthwall_sensor import requests
from tests.escalation.home import HOME, MARK, SECRET, SECRET_FILE, Home, changed_since, now

pytestmark = pytest.mark.lab

#: Where a path, an address or a word is asked for.
HOSTILE = (
    SECRET_FILE,
    f"file://{SECRET_FILE}",
    "/etc/shadow",
    "../../../../etc/cron.d/mine",
    f"{HOME}/link",
    f"exe:{SECRET_FILE}",
    "dir:/root",
    f"$(touch {MARK})",
    f";touch {MARK};",
    f"|touch {MARK}",
    "{0.__class__.__init__.__globals__}",
    "%s%n",
    "\0/root/owned",
    "http://127.0.0.1:8447/",
)
#: Not tried: what ends the sensor or the conversation is the group's to say.
_ENDING = {requests.Unload, requests.Initialize}

#: Says every request with every hostile word in every place, as who runs it; prints what is answered.
_TALKING = """
import asyncio, dataclasses, json, sys, typing
sys.path.insert(0, "/usr/local/lib/hearthwall/current")
import aiohttp
from hearthwall_sensor.protocol import MAX_SCHEMA

async def talk():
    asked = json.loads(sys.stdin.read())
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector("/run/hearthwall/sensor.sock")) as session,
        session.ws_connect("http://sensor/ws", max_msg_size=0) as ws,
    ):
        hello = await ws.receive_json()
        await ws.send_json({"id": 1, "type": "initialize", "schema": MAX_SCHEMA})
        print(await ws.receive_json())
        for number, request in enumerate(asked, 2):
            await ws.send_json({"id": number} | request)
            async with asyncio.timeout(90):
                while (answer := await ws.receive_json()).get("id") != number:
                    pass
            print(json.dumps(answer))

asyncio.run(talk())
"""


def _hostile() -> list[dict[str, Any]]:
    """Return every request with a hostile word in each of its places."""
    asked: list[dict[str, Any]] = []
    for kind in requests.REQUESTS.values():
        if kind in _ENDING:
            continue
        places = list(kind.__dataclass_fields__)
        for word in HOSTILE:
            asked.append({"type": kind.type} | dict.fromkeys(places, word))
            asked += [{"type": kind.type} | _plausible(kind.type) | {each: word} for each in places]
    return asked


#: What a request needs beside the hostile word, so that it is taken further than the first look.
_PLAUSIBLE: dict[str, dict[str, Any]] = {
    "add_feed": {"name": "mine", "source": f"file://{SECRET_FILE}"},
    "block": {"target": "198.51.100.7", "duration": 1},
    "set_policy": {"section": "all", "values": {}},
    "set_mud": {"mac": "00:00:5e:00:53:21"},
    "rename_device": {"mac": "00:00:5e:00:53:21", "name": "x"},
    "trace": {"call": "connect"},
}


def _plausible(kind: str) -> dict[str, Any]:
    return _PLAUSIBLE.get(kind, {})


def test_no_request_reads_or_writes_a_file_of_roots(home: Home) -> None:
    """All of them, with every hostile word in every place."""
    home.plant(f"{HOME}/talking.py", _TALKING)
    home.shell(f"ln -sf {SECRET_FILE} {HOME}/link")
    asked = _hostile()
    home.path(f"{HOME}/asked").write_text(json.dumps(asked))
    moment = now()
    done = home.shell(f"python3 -I {HOME}/talking.py < {HOME}/asked")
    answers = done.stdout.splitlines()
    assert len(answers) == len(asked) + 1, done.stderr[-800:]
    told = [each for each in answers if SECRET in each]
    assert told == []
    assert changed_since(home, moment) == []
    log = home.path(
        "/root/x"
    ).parent  # what the log says is root's alone, and holds no secret either
    assert log.is_dir()
    for name in home.ask("feeds"):
        home.ask("unfeed", name["name"])
    for block in home.ask("blocks"):
        home.ask("unblock", str(block["id"]))


def test_what_a_file_of_roots_holds_is_not_quoted(home: Home) -> None:
    """A list of names, of which hardly a line is one: of a public list the listing would show examples."""
    said = home.ask("feed", "mine", SECRET_FILE)
    listed = home.ask("feeds")
    home.ask("unfeed", "mine")
    assert SECRET not in json.dumps([said, listed])


def test_a_feeds_name_leads_nowhere(home: Home) -> None:
    moment = now()
    for name in ("../../../../etc/cron.d/mine", "/etc/cron.d/mine", "mine\n", ".."):
        assert home.ask("feed", name, "/etc/passwd")["error"]["code"] == "invalid_feed"
    assert changed_since(home, moment) == []


@pytest.mark.parametrize(
    "url",
    [
        f"file://{SECRET_FILE}",
        "https://127.0.0.1:8447/",
        "http://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://0x7f.1/",
        "https://192.168.77.1/",
    ],
)
def test_a_mud_file_comes_from_the_internet_only(home: Home, url: str) -> None:
    said = home.ask("mud", "import", "00:00:5e:00:53:21", url)
    assert "error" in said
    assert SECRET not in json.dumps(said)


def test_no_pipe_and_no_device_makes_the_sensor_wait(home: Home) -> None:
    home.shell(f"mkfifo {HOME}/pipe; ln -s /dev/zero {HOME}/zero")
    for place in (f"{HOME}/pipe", f"{HOME}/zero"):
        assert "error" in home.ask("block", f"exe:{place}")
        home.ask("feed", "mine", place)
    assert "no file" in home.ask("feeds")[0]["last_error"]
    home.ask("unfeed", "mine")


def test_the_policy_stays_in_its_file(home: Home) -> None:
    moment = now()
    for section in (
        "device ../../etc/cron.d/mine",
        "all\n[sink]\n",
        "segment /etc/x",
        "label $(id)",
    ):
        home.ask("policy", "set", section, f'name="{SECRET_FILE}"')
    assert changed_since(home, moment) == []


def test_no_request_names_where_a_sink_writes() -> None:
    """Sinks come from root's settings only."""
    places = {"path", "url", "password_file", "token_file", "host"}
    for kind in requests.REQUESTS.values():
        assert not places & set(kind.__dataclass_fields__) or kind is requests.SetMud
