"""What people are told who use a sensor that is a service of this host, and what those of a checkout."""

import argparse
from pathlib import Path

import pytest
import pytest_socket

from hearthwall_sensor import privileges
from hearthwall_sensor.cli import main
from hearthwall_sensor.commands import remote, service
from hearthwall_sensor.commands.command import explained
from hearthwall_sensor.protocol import DEFAULT_SOCKET, SensorError
from tests.unit.household import Household, Serving


@pytest.fixture(autouse=True)
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the unit would be, with neither a unit, settings nor a package on this host."""
    unit = tmp_path / "hearthwall-sensor.service"
    monkeypatch.setattr(service, "_UNITS", (unit,))
    monkeypatch.setattr(service, "CONFIG", tmp_path / "sensor.toml")
    monkeypatch.setattr(service, "PACKAGED", tmp_path / "package")
    return unit


def told(code: str, socket: str = DEFAULT_SOCKET) -> str:
    """Return what is said of an error of the conversation."""

    async def failing() -> None:
        raise SensorError(code)

    with pytest.raises(SensorError) as error:
        explained(failing(), argparse.Namespace(socket=socket))
    assert error.value.code == code
    return error.value.message


def test_who_reaches_no_sensor_is_told_how_to_start_one(unit: Path, tmp_path: Path) -> None:
    assert told("not_running").endswith("start one with `run --interface br-lan`")
    unit.touch()
    assert "`systemctl status hearthwall-sensor` says why" in told("not_running")
    assert "run --interface" in told("not_running", "/run/lab/s.sock"), "it is not the service's"
    (tmp_path / "sensor.toml").write_text('socket = "/run/other.sock"\n')
    assert told("not_running").endswith("say --socket /run/other.sock")


def test_who_may_not_talk_to_it_is_told_how_to_be_let_in(unit: Path, tmp_path: Path) -> None:
    assert "`run --group`" in told("not_permitted")
    unit.touch()
    assert "`sudo hearthwall-sensor install --user " in told("not_permitted")
    (tmp_path / "package").mkdir()
    assert "`sudo adduser " in told("not_permitted")


def test_who_pairs_is_told_how_to_have_it_listen(
    unit: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest_socket._remove_restrictions()
    monkeypatch.setattr(privileges, "require_root", lambda _: None)
    serving = Serving(tmp_path / "s.sock", Household()).start()
    try:
        pairing = ["pair", "--socket", serving.socket]
        assert main(pairing) == 1
        assert "run --listen ADDRESS:PORT" in capsys.readouterr().err
        unit.touch()
        assert main(pairing) == 1
        said = capsys.readouterr().err
        assert 'listen = "192.168.1.1:8447"' in said
        assert "systemctl restart hearthwall-sensor" in said
        assert "run --listen" not in said
        (tmp_path / "sensor.toml").write_text('listen = "192.168.1.1:8447"\n')
        assert main(pairing) == 1
        assert "systemctl status hearthwall-sensor" in capsys.readouterr().err
    finally:
        serving.stop()


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("operate", "see everything and give orders"),
        ("read", "see everything, and give no orders"),
        ("metrics", "read /metrics, and nothing else"),
    ],
)
def test_who_makes_a_token_is_told_what_it_lets_its_client_do(role: str, said: str) -> None:
    made = {"addresses": [], "port": None, "token": "t", "fingerprint": "f", "role": role}
    shown = remote._show(made)
    assert f"Whoever shows the token may {said}. " in shown
    assert ("Prometheus" in shown) is (role == "metrics")
    assert ("Home Assistant" in shown) is (role != "metrics")
    assert "run --listen" in shown
