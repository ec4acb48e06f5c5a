"""Settings from a file and the command line."""

from pathlib import Path

import pytest

from hearthwall_sensor import settings
from hearthwall_sensor.cli import main
from hearthwall_sensor.protocol import EXIT_SETTINGS, SensorError
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
        'metrics_devices = "name"',
        "metrics_devices = true",
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sensor.toml"
    path.write_text(text)
    with pytest.raises(SensorError):
        settings.read(str(path), {})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('lissen = "192.168.1.1:8447"', "there is no setting 'lissen'; did you mean listen?"),
        ("unheard_of = 1", "there is no setting 'unheard_of'; there are .*, cgroup, dns_servers, "),
        (
            '[[sink]]\nname = "s"\ntype = "journald"\nlisten = "192.168.1.1:8447"',
            r"sink s: listen is a setting of the sensor: write it above the first \[\[sink\]\]",
        ),
        ('[[sink]]\nname = "s"\ntype = "journald"\nlissen = 1', "no option 'lissen'"),
    ],
)
def test_what_may_be_meant_is_said(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "sensor.toml"
    path.write_text(text)
    with pytest.raises(SensorError, match=sentence):
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


@pytest.mark.parametrize("text", ['lissen = "192.168.1.1:8447"', "nonsense", "interfaces = []"])
def test_a_sensor_whose_settings_make_no_sense_ends_for_good(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sensor.toml"
    path.write_text(text)
    assert main(["run", "--config", str(path)]) == EXIT_SETTINGS
    assert str(path) in capsys.readouterr().err


def test_a_disk_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(settings, "_own_text", broken)
    assert main(["run", "--config", str(tmp_path / "sensor.toml")]) == 1


def test_an_error_of_several_lines_is_shown_as_such(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as the end of a log; none of its lines can pass for another message, or turn the terminal's colours."""

    def fail(*_: object) -> None:
        raise SensorError(
            "internal", "it failed; its log ends with:\nTraceback\nhearthwall-\x1b[31m"
        )

    monkeypatch.setattr(settings, "read", fail)
    main(["run"])
    assert capsys.readouterr().err == (
        "hearthwall-sensor: it failed; its log ends with:\n  Traceback\n  hearthwall-?[31m\n"
    )
