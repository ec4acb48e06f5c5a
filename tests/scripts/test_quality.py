"""The quality scale is kept, and its checker sees when it is not: what each rule is for is unplugged in a copy."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from quality.project import Project
from quality.rule import RULES
from quality.scale import faults_of, judge, strays

ROOT = Path(__file__).resolve().parents[2]
INTEGRATION = Path("custom_components") / "hearthwall"

#: What a rule's line is changed to, so that it is not kept any more: rule, file, what is there, what then.
UNPLUGGED = [
    ("action-setup", "__init__.py", r"async_setup_services\(hass\)", "pass"),
    ("appropriate-polling", "manifest.json", "local_push", "local_polling"),
    ("appropriate-polling", "entity.py", "_attr_should_poll = False", "_attr_should_poll = True"),
    ("config-flow", "manifest.json", '"config_flow": true', '"config_flow": false'),
    ("config-flow", "translations/en.json", '"data_description": {', '"data_descriptions": {'),
    (
        "dependency-transparency",
        "manifest.json",
        r'"requirements": \[\]',
        '"requirements": ["x==1"]',
    ),
    ("docs-actions", "services.yaml", r"^accept:", "acceptation:"),
    ("entity-event-setup", "entity.py", r"self\.async_on_remove\(", "tuple("),
    ("entity-unique-id", "entity.py", r"self\._attr_unique_id = ", "self._id = "),
    (
        "has-entity-name",
        "entity.py",
        "_attr_has_entity_name = True",
        "_attr_has_entity_name = False",
    ),
    ("runtime-data", "__init__.py", "entry.runtime_data = hub", "hass.data[DOMAIN] = hub"),
    ("test-before-configure", "*flow*.py", r"\bprobe\b", "nothing"),
    ("test-before-setup", "__init__.py", r"raise setup_error\(error\)", "raise RuntimeError"),
    ("unique-config-entry", "*flow*.py", "_abort_if_unique_id_configured", "_leave_alone"),
    ("action-exceptions", "switch.py", r"raise order_error\(error\)", "raise RuntimeError"),
    ("config-entry-unloading", "__init__.py", "def async_unload_entry", "def async_unload"),
    (
        "docs-installation-parameters",
        "translations/en.json",
        '"socket": "Socket"',
        '"socket": "Orifice"',
    ),
    ("entity-unavailable", "entity.py", "def available", "def is_available"),
    ("integration-owner", "manifest.json", r'\["@hearthwall"\]', "[]"),
    ("log-when-unavailable", "link.py", "Connected to the sensor again", "Again"),
    ("parallel-updates", "event.py", "PARALLEL_UPDATES = 0", ""),
    ("reauthentication-flow", "*flow*.py", "async_step_reauth", "async_step_again"),
    ("devices", "entity.py", "_attr_device_info", "_info"),
    ("diagnostics", "diagnostics.py", "async_get_config_entry_diagnostics", "diagnostics"),
    ("discovery", "manifest.json", r'"zeroconf": \[.*\]', '"zeroconf": []'),
    ("dynamic-devices", "switch.py", "async_add_device_entities", "add_entities"),
    ("entity-category", "*.py", "entity_category=", "category="),
    ("entity-device-class", "*.py", "SensorDeviceClass.DATA_RATE", "None"),
    (
        "entity-disabled-by-default",
        "*.py",
        "entity_registry_enabled_default=False",
        "visible=False",
    ),
    ("entity-translations", "switch.py", 'translation_key="quarantine"', 'name="Quarantine"'),
    ("exception-translations", "targets.py", r"translation_key=\"no_gateway\"", '"none"'),
    ("icon-translations", "icons.json", '"quarantine": {', '"isolation": {'),
    ("reconfiguration-flow", "*flow*.py", "async_step_reconfigure", "async_step_change"),
    ("repair-issues", "repairs.py", "def async_create_fix_flow", "def fix"),
    ("stale-devices", "__init__.py", "def async_remove_config_entry_device", "def remove"),
    ("async-dependency", "bpf/hearthwall_sensor/client.py", "^import aiohttp$", "import requests"),
    ("inject-websession", "connection.py", "async_get_clientsession", "ClientSession"),
    ("strict-typing", "throttle.py", r"-> None:", ":"),
]
#: What is not a line: a file that goes, or a document's section.
REMOVED = [
    ("brands", INTEGRATION / "brand" / "logo.png"),
    ("docs-troubleshooting", Path("docs/home-assistant.md")),
    ("docs-known-limitations", Path("README.md")),
    ("test-coverage", Path("tests/coverage_gate.py")),
    ("config-flow-test-coverage", Path("tests/coverage_gate.py")),
    ("dynamic-devices", Path("tests/homeassistant/test_entities.py")),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout with all that the checker looks at."""
    for folder in ("custom_components", "docs", "tests", "scripts"):
        shutil.copytree(
            ROOT / folder,
            tmp_path / folder,
            ignore=shutil.ignore_patterns("__pycache__", "www", "gateway", "unit", "bpf"),
        )
    client = INTEGRATION / "bpf" / "hearthwall_sensor" / "client.py"
    (tmp_path / client).parent.mkdir(parents=True)
    shutil.copy(ROOT / client, tmp_path / client)
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def faults(root: Path) -> dict[str, list[str]]:
    return {each.rule: each.faults for each in judge(Project(root)) if each.faults}


def test_every_rule_is_kept() -> None:
    assert faults(ROOT) == {}
    assert strays(Project(ROOT)) == []
    tiers = [each.tier for each in RULES.values()]
    assert {tier: tiers.count(tier) for tier in tiers} == {
        "bronze": 20,
        "silver": 10,
        "gold": 21,
        "platinum": 3,
    }


@pytest.mark.parametrize(("rule", "name", "there", "then"), UNPLUGGED)
def test_what_is_unplugged_is_noticed(
    copy: Path, rule: str, name: str, there: str, then: str
) -> None:
    times = 0
    for path in (copy / INTEGRATION).glob(name):
        changed, here = re.subn(there, then, path.read_text(), flags=re.MULTILINE)
        path.write_text(changed)
        times += here
    assert times, "nothing to unplug"
    assert list(faults_of(Project(copy), rule))


@pytest.mark.parametrize(("rule", "path"), REMOVED)
def test_what_is_gone_is_noticed(copy: Path, rule: str, path: Path) -> None:
    (copy / path).unlink()
    assert list(faults_of(Project(copy), rule))


def change(old: str, new: str) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        path = root / INTEGRATION / "quality_scale.yaml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return apply


@pytest.mark.parametrize(
    ("apply", "rule"),
    [
        (change("brands: done", "brands: todo"), "brands"),
        (change("brands: done", "brand: done"), "brands"),
        (change("brands: done", "brands: {status: exempt, comment: ' '}"), "brands"),
    ],
)
def test_a_promise_that_is_none_is_noticed(
    copy: Path, apply: Callable[[Path], None], rule: str
) -> None:
    apply(copy)
    assert rule in faults(copy)


def test_it_fails_and_says_where(copy: Path) -> None:
    (copy / INTEGRATION / "brand" / "icon.png").write_bytes(b"no picture")
    argv = [sys.executable, "-P", "-m", "quality", "--root", copy]
    environment = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert "- brand/icon.png is no picture" in done.stdout
    done = subprocess.run(
        [*argv, "--json"], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert not said["kept"]
    assert len(said["rules"]) == len(RULES)
