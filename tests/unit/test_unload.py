"""What `unload` and its companions take for settings, and what is left of a socket's lock."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hearthwall_sensor.cli import main
from hearthwall_sensor.commands.unload import sockets_of
from hearthwall_sensor.kernel import pins
from hearthwall_sensor.protocol import DEFAULT_STATE_DIR, SensorError
from hearthwall_sensor.server import _lock, claimed


def test_settings_say_which_socket_is_meant(tmp_path: Path) -> None:
    config = tmp_path / "sensor.toml"
    config.write_text('socket = "/run/other/s.sock"\n')
    assert sockets_of(str(config), "/usual") == ["/run/other/s.sock"]
    config.write_text('interfaces = ["br-lan"]\n')
    assert sockets_of(str(config), "/usual") == ["/run/hearthwall/sensor.sock"]


@pytest.mark.parametrize(
    ("text", "states", "found"),
    [
        ("[[sink\n", {}, ["/usual"]),
        ("[[sink\n", {"own": DEFAULT_STATE_DIR, "other": "/srv/state"}, ["/run/own"]),
        ("lissen = 1\n", {"own": DEFAULT_STATE_DIR}, ["/run/own"]),
        ("[[sink\n", {"other": "/srv/state"}, None),
        (None, {"own": DEFAULT_STATE_DIR}, ["/run/own"]),
        (None, {"other": "/srv/state"}, ["/usual"]),
    ],
)
def test_settings_with_a_mistake_leave_no_sensor_in_the_kernel(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str | None,
    states: dict[str, str],
    found: list[str] | None,
) -> None:
    """Whichever socket they said before the mistake: what is cut off by it would stay so."""
    monkeypatch.setattr(pins, "root", lambda: tmp_path / "kernel")
    for name, state in states.items():
        folder = pins.Pins(f"/run/{name}").path
        folder.mkdir(parents=True, mode=0o700)
        (folder / "socket").symlink_to(f"/run/{name}")
        (folder / "state").symlink_to(state)
    config = tmp_path / "sensor.toml"
    if text is not None:
        config.write_text(text)
    if found is None:
        with pytest.raises(SensorError, match="that of /run/other: mend the settings"):
            sockets_of(str(config), "/usual")
    else:
        assert sockets_of(str(config), "/usual") == found


def test_a_lock_is_gone_when_nothing_is_left_to_be_locked(tmp_path: Path) -> None:
    socket = str(tmp_path / "s.sock")
    with claimed(socket, wait=0):
        assert (tmp_path / "s.sock.lock").exists()
        with pytest.raises(SensorError, match="already listens"):
            _lock(socket)
    assert not list(tmp_path.iterdir())


def test_a_lock_that_was_removed_meanwhile_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened before `unload` removed it, locked afterwards: the file is not the path's any more."""
    socket, lock = str(tmp_path / "s.sock"), tmp_path / "s.sock.lock"
    opened, times = os.open, iter((True, False))

    def and_then_removed(*arguments: Any) -> int:
        descriptor = opened(*arguments)
        if next(times):
            lock.unlink()
        return descriptor

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", and_then_removed)
        held = _lock(socket)
    assert os.path.samestat(os.fstat(held), lock.stat())
    os.close(held)


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ('interfaces = ["br-lan"]', 0, {"br-lan": "lan"}),
        ("interfaces = [\n  'br-lan',  # the home\n]", 0, {"br-lan": "lan"}),
        ('"interfaces" = ["br-lan"]', 0, {"br-lan": "lan"}),
        ('wan = ["eth0"]', 0, {"eth0": "wan"}),
        ("interfaces = []", 2, {}),
        ('# interfaces = ["br-lan"]', 2, {}),
        ("", 2, {}),
        ("interfaces = [", 1, None),
        ('interface = ["br-lan"]', 1, None),
    ],
)
def test_settings_are_read_as_run_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, status: int, said: Any
) -> None:
    config = tmp_path / "sensor.toml"
    config.write_text(text)
    assert main(["settings", "--json", "--config", str(config)]) == status
    assert json.loads(capsys.readouterr().out).get("guarded") == said


def test_what_is_not_named_yet_is_told_with_the_line_that_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "sensor.toml"
    config.write_text('group = "hearthwall"\n')
    assert main(["settings", "--config", str(config)]) == 2
    assert 'interfaces = ["br-lan"]' in capsys.readouterr().out
    assert main(["run", "--config", str(config)]) != 0
    assert f'interfaces = ["br-lan"] in {config}' in capsys.readouterr().err
