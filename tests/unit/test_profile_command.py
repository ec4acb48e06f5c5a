"""What `profile` asks, and how it shows people what was learnt; a real process and the sensor's own server."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearthwall_sensor.commands import profile
from hearthwall_sensor.habits import Acceptance, Band, Habit, ProfileReport
from hearthwall_sensor.requests import GetProfile, SetProfile
from tests.devices import CAMERA, TV
from tests.unit.asking import asked, run, said
from tests.unit.household import Household, Serving

LAUNCHER = Path(__file__).resolve().parents[2] / "bpf" / "hearthwall-sensor"
ACCEPTED = Acceptance(3, 1_777_900_000.0, 17, "beacon", CAMERA, None, "x", "camera calls x.", {})
PROFILE = ProfileReport(
    mac=CAMERA,
    since=time.time() - 3.5 * 86400,
    learning_until=time.time() + 3.5 * 86400,
    sure=0.42,
    frozen=True,
    domains=(
        Habit("-", 60, time.time()),
        *(Habit(f"d{number}.example", 50 - number, time.time()) for number in range(12)),
    ),
    networks=(Habit("198.51.0.0/16", 3, time.time()), Habit("AS64496", 2, time.time())),
    ports=(Habit("tcp/443", 9, time.time()),),
    upload_this_hour=Band(1_000_000, 20_000_000, 90),
    model={"age_hours": 12.0},
    accepted=(ACCEPTED,),
)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    household = Household()
    household.answers |= {"profile": PROFILE.to_wire(), "set_profile": PROFILE.to_wire()}
    serving = Serving(tmp_path / "s.sock", household).start()
    yield serving
    serving.stop()


def test_a_profile_is_shown_with_how_far_it_is_known(serving: Serving) -> None:
    text = said(serving, "profile", "CAMERA")
    assert text.startswith(f"camera ({CAMERA})\n")
    plain = " ".join(text.split())
    for part in (
        "learnt: for 3 d 12 h of 7 d; judged by its habits from",
        "known: 42% of its habits; more the longer it is learnt",
        "frozen: nothing more is learnt; --unfreeze lets it learn again",
        "(no name known)",
        "198.51.0.0/16 (owner not known)",
        "AS64496",
        "upload usually 1.0 MB, unusual beyond 20.0 MB",
        "age hours 12",
        "1 of its events",
        "d8.example",
        "and 3 more",
        "tcp/443",
    ):
        assert part in plain, part
    assert "d9.example" not in plain
    assert asked(serving, GetProfile).mac == CAMERA
    found = json.loads(said(serving, "profile", CAMERA, "--json"))
    assert len(found["domains"]) == 13


@pytest.mark.parametrize("action", ["freeze", "unfreeze", "reset"])
def test_a_profile_is_changed(serving: Serving, action: str) -> None:
    text = said(serving, "profile", CAMERA, f"--{action}")
    assert text.startswith(profile._DONE[action] + "\n")
    assert asked(serving, SetProfile) == SetProfile(CAMERA, action)  # type: ignore[arg-type]


def test_a_profile_is_changed_in_one_way_only(serving: Serving) -> None:
    assert "not allowed" in run(serving, "profile", CAMERA, "--freeze", "--reset").stderr
    assert "there is no device x" in run(serving, "profile", "x").stderr


def test_a_profile_of_a_silent_device(serving: Serving) -> None:
    serving.household.answers["profile"] = ProfileReport(TV, 1.0, 2.0, 0.0, False).to_wire()
    assert "when learning began, it was not seen to talk to anybody." in said(
        serving, "profile", TV
    )
