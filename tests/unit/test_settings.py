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


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("listen = 8447", 'listen is a text, such as listen = "192.168.1.1:8447"'),
        ('listen = "here"', "listen is an address of this host and a port"),
        ("policy = true", "policy is a text, such as"),
        ("interfaces = 5", 'interfaces is a list of texts, such as interfaces = ["br-lan"]'),
        ("wan = [5]", 'wan is a list of texts, such as wan = ["eth0"]'),
        ('floods = ["much"]', "floods: 'much' is no threshold such as wan:syn=200"),
        ('home_assistant = "there"', "home_assistant: 'there' does not appear"),
        ('dns_servers = ["there"]', "dns_servers: 'there' does not appear"),
        ('tc = "magic"', "tc is auto, tcx or clsact"),
        ("events_mb = true", "events_mb is a number from"),
        ('interfaces = ["eth0"]\nwan = ["eth0"]', "interfaces and wan both name eth0"),
        ('[[sink]]\nname = "s"\ntype = "fax"', "sink s: type is"),
        (
            '[[sink]]\nname = "s"\ntype = "file"\npath = "events.json"',
            "sink s: path is a whole path, such as /var/log/hearthwall/events.json",
        ),
        (
            '[[sink]]\nname = "s"\ntype = "webhook"\nurl = "https://a.example"\ntoken_file = "token"',
            "sink s: token_file is a whole path, such as /etc/hearthwall/token",
        ),
    ],
)
def test_a_mistake_is_told_with_its_file_and_setting(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "sensor.toml"
    path.write_text(text)
    with pytest.raises(SensorError) as refused:
        settings.read(str(path), {})
    assert refused.value.message.startswith(f"{path}: {sentence}")


def test_a_mistake_on_the_command_line_is_not_the_files(tmp_path: Path) -> None:
    path = tmp_path / "sensor.toml"
    path.write_text('interfaces = ["br-lan"]\n')
    with pytest.raises(SensorError) as refused:
        settings.read(str(path), {"wan": ["br-lan"]})
    assert refused.value.message.startswith("interfaces and wan both name br-lan")


def test_what_was_just_written_is_read_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sensor.toml"
    asked = ["settings", "--config", str(path)]
    path.write_text('interfaces = ["br-lan"]\n')
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "It does not listen for other hosts." in said
    assert "sink" not in said
    path.write_text(
        'interfaces = ["br-lan"]\nlisten = "192.168.1.1:8447"\n'
        "[[sink]]\nname = 'log'\ntype = 'journald'\n[[sink]]\nname = 'siem'\ntype = 'journald'\n"
    )
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "It listens for other hosts on 192.168.1.1:8447." in said
    assert "Events also go to the sinks log, siem." in said
    path.write_text("listen = 8447")
    assert main(asked) == 1
    assert f"{path}: listen is a text" in capsys.readouterr().err


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
