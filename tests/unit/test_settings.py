"""Settings from a file and the command line."""

from pathlib import Path

import pytest

from hearthwall_sensor import settings
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.retention import Retention


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sensor.toml"
    path.write_text('interfaces = ["br-lan"]\nsocket = "/run/one"\ntc = "clsact"\n')
    chosen = settings.read(str(path), {"socket": "/run/two", "interfaces": None})
    assert (chosen.interfaces, chosen.socket, chosen.tc_way) == (("br-lan",), "/run/two", "clsact")


@pytest.mark.parametrize(
    "text",
    [
        "interfaces = 5",
        "interfaces = [5]",
        "nonsense",
        "unheard_of = 1",
        'tc = "magic"',
        'xdp = "clsact"',
        'wan = "eth0"',
        'interfaces = ["eth0"]\nwan = ["eth0"]',
        'home_assistant = "there"',
        "socket = 7",
        "events_days = 0",
        'events_days = "30"',
        "events_days = nan",
        "events_mb = true",
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sensor.toml"
    path.write_text(text)
    with pytest.raises(SensorError):
        settings.read(str(path), {})


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(SensorError, match="can't be read"):
        settings.read("/nowhere.toml", {})


def test_both_sides_and_the_ways_are_settings(tmp_path: Path) -> None:
    path = tmp_path / "sensor.toml"
    path.write_text('interfaces = ["br-lan"]\nwan = ["eth0"]\nxdp = "netlink"\n')
    chosen = settings.read(str(path), {})
    assert chosen.guarded == {"br-lan": "lan", "eth0": "wan"}
    assert (chosen.tc_way, chosen.xdp_way) == (None, "netlink")


def test_how_long_events_are_kept_is_a_setting(tmp_path: Path) -> None:
    assert settings.Settings().retention == Retention()
    path = tmp_path / "sensor.toml"
    path.write_text("events_days = 7\nevents_mb = 1.5\n")
    assert settings.read(str(path), {}).retention == Retention(days=7, bytes=1_500_000)
