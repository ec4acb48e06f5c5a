"""The policy changed by the sensor: comments stay, only what makes sense is written, and whole."""

import contextlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hearthwall_sensor.errors import SensorError
from hearthwall_sensor.files import previous
from hearthwall_sensor.policy import writing
from hearthwall_sensor.policy.file import MAX_BYTES, PolicyFile
from hearthwall_sensor.policy.reading import KEYS
from hearthwall_sensor.policy.writing import change, parse_section
from tests.devices import CAMERA, TV

TEXT = f"""# What holds for everybody
[all]
sensitivity = "low"  # it is a quiet home
detectors = {{ beacon = "audit" }} # for now

[[all.respond]] # the worst only
severity = "critical"
action = "block_peer"

[device."{CAMERA.upper().replace(":", "-")}"]
local = true # it records at home
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(TEXT)
    path.chmod(0o644)
    return path


def put(path: Path, section: str, **values: Any) -> dict[str, Any]:
    change(
        path, parse_section(section), {key.replace("__", "."): each for key, each in values.items()}
    )
    return tomllib.loads(path.read_text())


def test_comments_and_order_stay(path: Path) -> None:
    said = put(path, f"device {CAMERA}", local=False, labels=["iot"])
    assert list(said["device"].values()) == [{"local": False, "labels": ["iot"]}]
    text = path.read_text()
    for comment in ("# What holds for everybody", "# it is a quiet home", "# the worst only"):
        assert comment in text
    assert text.index("[all]") < text.index("[[all.respond]]") < text.index("[device.")
    assert path.stat().st_mode & 0o777 == 0o644
    assert previous(path).read_text() == TEXT


def test_sections_come_and_go(path: Path) -> None:
    said = put(path, "segment iot", networks=["10.0.0.0/8"], may_reach=[])
    assert said["segment"] == {"iot": {"networks": ["10.0.0.0/8"], "may_reach": []}}
    said = put(path, f"device {TV}", local=True)
    assert said["device"][TV] == {"local": True}
    assert put(path, f"device {TV}", local=None)["device"].keys() == {
        CAMERA.upper().replace(":", "-")
    }
    assert "segment" not in put(path, "segment iot", networks=None, may_reach=None)


def test_one_detector_is_set_by_itself(path: Path) -> None:
    assert put(path, "all", detectors__flood="off")["all"]["detectors"] == {
        "beacon": "audit",
        "flood": "off",
    }
    assert put(path, "all", detectors__beacon=None)["all"]["detectors"] == {"flood": "off"}
    assert put(path, "label iot", detectors__beacon="off")["label"] == {
        "iot": {"detectors": {"beacon": "off"}}
    }


def test_responses_are_replaced_whole(path: Path) -> None:
    respond = [{"kind": "port_scan", "action": "quarantine", "duration": "2h", "severity": None}]
    said = put(path, "all", respond=respond, local=False)
    assert said["all"]["respond"] == [
        {"kind": "port_scan", "action": "quarantine", "duration": "2h"}
    ]
    assert said["all"]["local"] is False
    assert PolicyFile(path).device(TV).responses[0].duration == 7200
    assert "respond" not in put(path, "all", respond=None)["all"]


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    assert put(path, "label iot", local=True) == {"label": {"iot": {"local": True}}}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    put(link, "all", sensitivity="high")
    assert link.is_symlink()
    assert 'sensitivity = "high"' in path.read_text()


@pytest.mark.parametrize(
    ("section", "values", "said"),
    [
        ("all", {"local": "yes"}, "[all] local is true or false"),
        ("all", {"localised": True}, "has no key 'localised'"),
        ("all", {"detectors.beacn": "off"}, "detectors names"),
        ("segment iot", {"may_reach": []}, "needs networks"),
        ("label iot", {"labels": ["x"]}, "has no key 'labels'"),
        ("label iot", {"learning": float("inf")}, "learning is a time"),
    ],
)
def test_what_makes_no_sense_is_not_written(
    path: Path, section: str, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(SensorError) as error:
        change(path, parse_section(section), values)
    assert error.value.code == "invalid_policy"
    assert said in error.value.message
    assert path.read_text() == TEXT


@pytest.mark.parametrize(
    "text", ["", "al", "label", "label ", "device camera", "all x", "label a\nb"]
)
def test_what_is_no_section(text: str) -> None:
    with pytest.raises(SensorError) as error:
        parse_section(text)
    assert error.value.code == "invalid_policy"


def test_a_broken_file_is_not_written_over(path: Path) -> None:
    path.write_text("[all]\nlocal = maybe\n")
    with pytest.raises(SensorError, match="is no TOML"):
        put(path, "all", local=True)
    path.write_text('[all]\nlocal = "maybe"\n')
    with pytest.raises(SensorError, match="true or false"):
        put(path, "all", local=True)
    assert path.read_text() == '[all]\nlocal = "maybe"\n'


def test_a_file_that_others_could_change_is_not_written(path: Path) -> None:
    path.chmod(0o666)
    with pytest.raises(SensorError) as error:
        put(path, "all", local=True)
    assert error.value.code == "unsafe_files"


def test_what_an_editor_saves_meanwhile_is_not_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = writing._edited

    def slowly(*said: Any) -> str:
        path.write_text("[all]\nlocal = true\n")
        return edited(*said)

    monkeypatch.setattr(writing, "_edited", slowly)
    with pytest.raises(SensorError, match="changed meanwhile"):
        put(path, "all", sensitivity="high")
    assert path.read_text() == "[all]\nlocal = true\n"


def test_a_full_disk_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hearthwall_sensor.files.os.fsync", full)
    with pytest.raises(SensorError) as error:
        put(path, "all", local=True)
    assert error.value.code == "storage_failed"
    assert path.read_text() == TEXT


def test_a_file_does_not_grow_beyond_its_bound(path: Path) -> None:
    path.write_text(TEXT + "#" * (MAX_BYTES - len(TEXT) - 10))
    with pytest.raises(SensorError, match="longer than 64 kB"):
        put(path, "all", local=True)


VALUES = st.none() | st.booleans() | st.text(max_size=8) | st.lists(st.sampled_from(["DE", "a\"'"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    kind=st.sampled_from(["all", f"device {TV}", f"device {CAMERA}"]),
    name=st.text(min_size=1, max_size=8),
    values=st.dictionaries(st.sampled_from(list(KEYS["device"])), VALUES, max_size=3),
)
def test_whatever_is_written_can_be_read(
    path: Path, kind: str, name: str, values: dict[str, Any]
) -> None:
    path.write_text(TEXT)
    for section in (kind, f"label {name}"):
        with contextlib.suppress(SensorError):
            change(path, parse_section(section), values)
    assert PolicyFile(path).problem is None
