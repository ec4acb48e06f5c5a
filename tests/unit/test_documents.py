"""The documents say what is there: claims have tests, tables name every command, option and error."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from hearthwall_sensor.capabilities import PARTS
from hearthwall_sensor.cli import COMMANDS
from hearthwall_sensor.detectors import (
    DETECTORS,
    address_conflict,
    address_scan,
    beacon,
    behaviour_anomaly,
    connection_burst,
    flood,
    port_scan,
    segment_crossing,
)
from hearthwall_sensor.kernel.layouts import LIMITS
from hearthwall_sensor.kernel.process_layouts import PROCESS_SLOTS
from hearthwall_sensor.kinds import KINDS
from hearthwall_sensor.modes import ALLOWANCES, MODES, TERMS
from hearthwall_sensor.policy.accepted import MAX_ACCEPTED
from hearthwall_sensor.policy.file import PolicyFile
from hearthwall_sensor.policy.policy import DevicePolicy
from hearthwall_sensor.policy.reading import KEYS, read
from hearthwall_sensor.protocol import METRICS_PATH, PAIR_PATH, WEBSOCKET_PATH
from hearthwall_sensor.requests import REQUESTS
from hearthwall_sensor.rules.enforcement import BURST_SECONDS
from hearthwall_sensor.rules.process_protection import LOGIN, NEEDED
from hearthwall_sensor.rules.room import _ROOM
from hearthwall_sensor.rules.rule import DOMAIN_SLOTS
from hearthwall_sensor.targets import MAX_PATH_BYTES, parse_duration
from lab.attacks.table import ATTACKS

ROOT = Path(__file__).resolve().parents[2]


def text(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_claim_has_tests() -> None:
    bullet = re.compile(r"^- \*\*.+?(?=\n- |\n\n|\Z)", re.MULTILINE | re.DOTALL)
    claims = bullet.findall(text("docs/features.md").rstrip())
    proved = re.findall(r"^\| (.+?) \| `", text("docs/claims.md"), re.MULTILINE)
    assert len(claims) > 50
    assert [re.match(r"- \*\*(.+?)\*\*", each)[1] for each in claims] == proved
    section = text("README.md").split("## What it does")[1].split("\n## ")[0]
    shown = bullet.findall(section)
    assert len(shown) > 10
    assert set(shown) <= set(claims)


@pytest.mark.parametrize("identity", re.findall(r"`(tests/\S+::\w+)`", text("docs/claims.md")))
def test_a_named_test_exists(identity: str) -> None:
    path, name = identity.split("::")
    assert re.search(rf"^(async )?def {name}\(", text(path), re.MULTILINE)


def test_every_command_is_documented() -> None:
    documented = re.findall(
        r"^\| `([a-z]+)[ `]", text("docs/sensor.md").split("## `run`")[0], re.MULTILINE
    )
    assert set(COMMANDS) == set(documented)


def test_every_path_that_answers_is_documented() -> None:
    opening = text("docs/protocol.md").split("```")[0]
    for path in (WEBSOCKET_PATH, METRICS_PATH, PAIR_PATH):
        assert f"`{path}`" in opening


@pytest.mark.parametrize("name", ["README.md", "README.ja.md", "docs/install.md"])
def test_lines_that_install_packages_name_the_same(name: str) -> None:
    """The first in the README is what Debian's package needs and recommends (`test_deb`)."""
    wanted, *_ = _packages("README.md")
    found = _packages(name)
    assert len(wanted) > 10
    assert found
    assert all(each - {"curl", "unzip"} == wanted for each in found)


def test_check_tells_of_each_package_that_is_missing() -> None:
    wanted, *_ = _packages("README.md")
    fixes = (each.fix.removeprefix("apt-get install ") for each in PARTS)
    assert wanted <= set(fixes)


def _packages(name: str) -> list[set[str]]:
    """Return what each line that installs bcc installs."""
    lines = re.findall(r"apt-get install ((?:[\w -]|\\\n)*)", text(name))
    named = (set(line.replace("\\", " ").split()) for line in lines)
    return [each for each in named if "python3-bpfcc" in each]


def test_every_cause_of_loss_is_documented() -> None:
    tree = ast.parse(text("bpf/hearthwall_sensor/reports.py"))
    (lost,) = (
        each.value
        for each in ast.walk(tree)
        if isinstance(each, ast.keyword) and each.arg == "lost"
    )
    assert isinstance(lost, ast.Dict)
    (of_processes,) = (
        each.value
        for each in ast.walk(ast.parse(text("bpf/hearthwall_sensor/own_processes.py")))
        if isinstance(each, ast.Return) and isinstance(each.value, ast.Dict)
    )
    keys = (*lost.keys, *of_processes.keys)
    causes = {ast.literal_eval(each).replace("_", " ") for each in keys if each is not None}
    section = text("docs/sensor.md").split("### What was lost")[1].split("\n## ")[0]
    told = re.findall(r"^\| ([a-z ]+) \| .+ \| (?:loading|start|now) \|$", section, re.MULTILINE)
    assert len(causes) > 10
    assert set(told) == causes


def test_every_kind_of_event_is_documented() -> None:
    section = text("docs/detectors.md").split("## The kinds")[1].split("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| `")]
    told = {kind: row[-1].strip() for row in rows for kind in re.findall(r"`(\w+)`", row[0])}
    assert told == {name: kind.technique or "" for name, kind in KINDS.items()}
    assert {each.kind for each in DETECTORS} <= set(told)


def test_every_attack_of_the_lab_is_documented() -> None:
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \|.*\| `(\w+)` \| \d+ s \|$", text("docs/detectors.md"), re.MULTILINE
    )
    assert dict(rows) == {name: attack.kind for name, attack in ATTACKS.items()}


def test_every_attack_of_the_lab_is_tried() -> None:
    """Within the times of that table: `attack_scene` reads them."""
    tests = "".join(each.read_text() for each in (ROOT / "tests/gateway").glob("test_attacks_*.py"))
    assert {name for name in ATTACKS if f'"{name}"' not in tests} == {"scan-slow"}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("port_scan", f"{port_scan._PORTS['tcp']} ports (UDP {port_scan._PORTS['udp']})"),
        ("address_scan", f"{address_scan._HOSTS['tcp']} hosts (UDP {address_scan._HOSTS['udp']},"),
        ("address_scan", f"web ports of the internet {address_scan._WEB_HOSTS})"),
        ("address_scan", f"from {address_scan._HOME_HOSTS} hosts on"),
        ("connection_burst", f"{connection_burst._FLOOR:g}, and four times the highest minute"),
        ("connection_burst", f"{connection_burst._FLOOR_LEARNING:g} while it is learnt"),
        ("flood", f"{flood._RATE:,.0f} small packets a second with a tenth coming back"),
        ("flood", f"{flood._TORRENT:,.0f} of any size"),
        ("beacon", f"{beacon._CALLS} calls in at least {beacon._MIN_SPAN:g} s"),
        ("beacon", f"within {100 * beacon._UNEVEN:g} % of their median"),
        ("address_conflict", f"{address_conflict._GATEWAY_CLAIMS} claims of the gateway's in"),
        ("address_conflict", f"in {address_conflict._GATEWAY_WINDOW:g} s"),
        ("address_conflict", f"more than {address_conflict._TAKEN} others' in a minute"),
        ("address_conflict", f"{address_conflict._SWITCHES} changes to and fro in 5 min"),
        ("segment_crossing", f"{segment_crossing._SPOOFED} flows or"),
        ("segment_crossing", f"{segment_crossing._DATAGRAMS} datagrams from strange addresses"),
        ("behaviour_anomaly", "two quarters in a row"),
        ("behaviour_anomaly", "medium with three extreme features, or after an hour"),
    ],
)
def test_the_thresholds_are_those_of_the_code(kind: str, said: str) -> None:
    kinds = text("docs/detectors.md").split("## The kinds")[1].split("\n## ")[0]
    (row,) = (each for each in kinds.splitlines() if each.startswith(f"| `{kind}` |"))
    assert said in row


def test_words_for_thresholds_are_those_of_the_code() -> None:
    assert connection_burst._OVER_HIGHEST == 4
    assert flood._ONE_WAY == 10
    assert address_conflict._WINDOW == segment_crossing._WINDOW == 300
    assert (behaviour_anomaly._RUN, behaviour_anomaly._LONG_RUN) == (2, 4)
    assert behaviour_anomaly._EXTREMES == 3


def test_every_option_of_run_and_block_is_documented() -> None:
    for command in (
        "run",
        "block",
        "unblock",
        "events",
        "flows",
        "top",
        "accept",
        "profile",
        "usage",
    ):
        line = [
            "/usr/bin/python3",
            "-I",
            str(ROOT / "bpf" / "hearthwall-sensor"),
            command,
            "--help",
        ]
        said = subprocess.run(line, capture_output=True, text=True, check=True).stdout
        for option in set(re.findall(r"--[a-z-]+", said)) - {"--help"}:
            assert option in text("docs/sensor.md"), (command, option)


def test_modes_allowances_and_requests_are_documented() -> None:
    for name in (*MODES, *ALLOWANCES):
        assert f"`{name}`" in text("docs/sensor.md").replace("--mode ", "") + text(
            "docs/home-assistant.md"
        )
    for name in REQUESTS:
        assert f"`{name}`" in text("docs/protocol.md")


def test_table_of_modes_says_what_each_mode_is_for() -> None:
    rows = [line.split("|")[1:-1] for line in text("docs/sensor.md").splitlines()]
    told = {row[0].strip(" `"): row[2:] for row in rows if len(row) == 5 and "`" in row[0]}
    told = {mode: cells for mode, cells in told.items() if not mode.startswith("--")}
    assert set(told) == set(MODES)
    for mode, terms in TERMS.items():
        whom, needs, allows = told[mode]
        if mode == "audit":
            assert "audited mode" in whom + needs + allows
            continue
        homes = "hosts of the home" if terms.home_only else "any target"
        assert whom.strip() == homes + (
            " but domains" if not terms.home_only and not terms.domains else ""
        )
        assert re.findall(r"`--([a-z-]+)`", needs) == [
            each.replace("_", "-").replace("peers", "peer") for each in terms.fields
        ]
        assert re.findall(r"`(\w+)`", allows) == list(terms.allow)


def test_numbers_of_rules_that_there_is_room_for_are_documented() -> None:
    said = text("docs/sensor.md")
    for what, _, most in _ROOM:
        assert f"{most:,} " in said, what
    assert f"{LIMITS['MAX_RULES'] - 1:,} targets" in said
    assert f"{len(DOMAIN_SLOTS):,} domains" in said
    assert f"lets {BURST_SECONDS} s worth" in said
    assert f"{len(PROCESS_SLOTS)} on processes" in said
    assert f"{MAX_PATH_BYTES} bytes" in said


def test_programs_that_are_protected_are_documented() -> None:
    said = text("docs/sensor.md").split("### Rules on processes")[1].split("\n## ")[0]
    for name in (*NEEDED, *LOGIN):
        assert f"`{name.decode()}`" in said


@pytest.mark.parametrize(
    "name", ["README.md", *(f"docs/{each.name}" for each in (ROOT / "docs").glob("*.md"))]
)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text(name)):
        assert ((ROOT / name).parent / target).exists(), target


def policy_table(section: str) -> dict[str, str]:
    """Return the defaults by key of the first table under a heading of the policy's page."""
    rows = re.findall(
        r"^\| `(\w+)` \| .* \| (.*) \| .* \|$",
        text("docs/policy.md").split(section)[1].split("\n## ")[0].split("\n\nIn `[segment")[0],
        re.MULTILINE,
    )
    return dict(rows)


def test_every_key_of_the_policy_is_documented_with_its_default() -> None:
    told = policy_table("## Keys")
    assert set(told) == set(KEYS["device"])
    nothing = DevicePolicy()
    assert (
        set(ast.literal_eval(told["forbidden_protocols"].strip("`"))) == nothing.forbidden_protocols
    )
    assert told["sensitivity"] == f"`{nothing.sensitivity}`"
    assert parse_duration(told["learning"].strip('`"')) == nothing.learning
    assert told["mud_from_device"] == f"`{str(nothing.mud_from_device).lower()}`"
    assert (nothing.local, nothing.countries, nothing.may_reach) == (None, None, None)
    assert (nothing.responses, nothing.quiet_hours) == ((), ())


def test_every_key_of_a_program_is_documented() -> None:
    section = text("docs/policy.md").split("## Programs")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \| .+ \|$", section, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows).replace("| `{", ""))) >= set(KEYS["program"])
    first = {key for row in rows for key in re.findall(r"`(\w+)`", row.split(" | ")[0])}
    assert first == set(KEYS["program"])


def test_what_a_response_may_say_is_documented_with_its_defaults() -> None:
    told = policy_table("## Responses")
    response = read({"all": {"respond": [{"action": "none"}]}}).all["respond"][0]
    assert list(told) == ["kind", "severity", "action", "duration"]
    assert response.severity == told["severity"].strip('`"')
    assert response.duration == parse_duration(told["duration"].strip('`"'))
    assert f"up to {MAX_ACCEPTED:,} are kept" in text("docs/policy.md")


def test_quiet_windows_are_documented() -> None:
    spans = {"a day": 86_400, "6 hours": 21_600, "an hour": 3600, "a minute": 60}
    section = text("docs/policy.md").split("### Repeats")[1].split("\n## ")[0]
    told = dict(re.findall(r"^\| (an? \w+|\d \w+) \| (.*) \|$", section, re.MULTILINE))
    assert told.keys() == spans.keys()
    named = {
        kind: float(spans[span])
        for span, kinds in told.items()
        for kind in re.findall(r"`(\w+)`", kinds)
    }
    for kind, known in KINDS.items():
        if not known.by_rules:
            assert named.get(kind, 3600.0) == known.quiet, kind
    assert told["an hour"] == "all others"


def test_the_examples_of_a_policy_are_ones(tmp_path: Path) -> None:
    for page in ("README.md", "docs/policy.md", "docs/detectors.md"):
        for number, example in enumerate(re.findall(r"```toml\n(.*?)```", text(page), re.DOTALL)):
            path = tmp_path / f"{number}.toml"
            path.write_text(example)
            path.chmod(0o644)
            policy = PolicyFile(path)
            assert policy.problem is None, (page, policy.problem)
            assert policy.raw
    camera = policy_of(tmp_path).device("00:00:5e:00:53:21")
    assert (camera.local, camera.learning, camera.sensitivity) == (False, 14 * 86400, "high")
    assert [each.action for each in camera.responses] == ["quarantine", "block_peer"]


def policy_of(folder: Path) -> PolicyFile:
    """Return the policy page's example."""
    path = folder / "policy.toml"
    path.write_text(text("docs/policy.md").split("```toml\n")[1].split("```")[0])
    path.chmod(0o644)
    return PolicyFile(path)
