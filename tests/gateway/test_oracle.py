"""What replay finds in captures of real clients and odd packets equals what tshark finds, byte by byte."""

import copy
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from tests.capture_oracle import replayed
from tests.capture_oracle.comparison import Row, compare
from tests.capture_oracle.evidence import Evidence, gather
from tests.capture_oracle.tshark import Tshark, tshark
from tests.captures.scenarios import CAPTURES, NETWORKS, write

pytestmark = pytest.mark.lab

ORACLE = Path(__file__).parents[1] / "oracle"
LAN = [word for network in NETWORKS for word in ("--lan", network)]


@pytest.fixture(scope="module")
def oracle() -> Iterator[Tshark]:
    with tshark() as found:
        yield found


@pytest.fixture(scope="module")
def recorded(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Records a capture once."""
    folder = tmp_path_factory.mktemp("captures")

    def get(name: str) -> Path:
        path = folder / CAPTURES[name].file
        return path if path.exists() else write(lab, folder, name)

    return get


def differences(found: Evidence, document: Any) -> list[Row]:
    return [row for row in compare(found, replayed.read(document)) if not row.agrees]


def one_byte_more(document: Any) -> None:
    document["flows"][0]["download_bytes"] += 1


def another_name(document: Any) -> None:
    for name in ("served_as", "peer_name"):
        named = [flow for flow in document["flows"] if flow[name]]
        if named:
            named[-1][name] = "another.example"
            break
    else:
        document["names"].append(
            {"mac": None, "name": "another.example", "address": None, "source": "dns"}
        )


def a_flow_less(document: Any) -> None:
    document["flows"].pop()


def another_community_id(document: Any) -> None:
    document["flows"][0]["community_id"] = "1:vTdrngJjlP5eZ9mw9JtnKyn99KM="


LIES = (one_byte_more, another_name, a_flow_less, another_community_id)

#: What a capture must at least hold, so that agreeing on it says something.
EXPECTED = {
    "web": {"tls": 2, "http": 4},
    "sll": {"tls": 2, "http": 4},
    "sll2": {"tls": 2, "http": 4},
    "raw": {"tls": 2, "http": 4},
    "null": {"tls": 2, "http": 4},
    "http3": {"quic": 4},
    "browser": {"quic": 1, "tls": 1},
    "odd-tls": {"tls": 10},
    "odd-http": {"http": 6},
    "odd-neighbours": {"tls": 1, "http": 1},
}


@pytest.mark.parametrize("name", CAPTURES)
def test_replay_finds_what_tshark_finds(
    oracle: Tshark, recorded: Callable[[str], Path], name: str
) -> None:
    capture = recorded(name)
    document = replayed.run(capture, NETWORKS)
    found = gather(oracle, capture, replayed.read(document))
    assert differences(found, document) == []
    for source, count in EXPECTED.get(name, {}).items():
        assert sum(source in said.names for said in found.names.said.values()) >= count
    for lie in LIES:
        told = copy.deepcopy(document)
        lie(told)
        assert differences(found, told), lie.__name__


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    line = [str(ORACLE), *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


def test_command_says_what_differs(recorded: Callable[[str], Path], tmp_path: Path) -> None:
    capture = recorded("odd-http")
    agreed = run(*LAN, capture)
    assert agreed.returncode == 0, agreed.stdout + agreed.stderr
    document = replayed.run(capture, NETWORKS)
    told = tmp_path / "told.json"
    another_name(document)
    told.write_text(json.dumps(document))
    done = run("--replayed", told, capture)
    assert done.returncode == 1
    assert "≠ names in hellos and requests" in done.stdout
    document = replayed.run(capture, NETWORKS)
    another_community_id(document)
    told.write_text(json.dumps(document))
    done = run("--json", "--replayed", told, capture)
    assert done.returncode == 1
    (file,) = json.loads(done.stdout)["files"]
    assert file["checks"]["community IDs"]["different"] == 1
    assert [each["check"] for each in file["differences"]] == ["community IDs"]


def test_command_says_why_it_cannot_compare(tmp_path: Path) -> None:
    nothing = run(tmp_path / "nothing.pcap")
    assert nothing.returncode == 2
    assert "there is no such file" in nothing.stderr
    (tmp_path / "text.pcap").write_text("This is no capture.\n")
    assert run(tmp_path / "text.pcap").returncode == 2
