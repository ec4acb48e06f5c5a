"""What people are told who use a sensor that is a service of this host, and what those of a checkout."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket

from hearthwall_sensor import privileges
from hearthwall_sensor.cli import main
from hearthwall_sensor.commands import remote, service
from hearthwall_sensor.commands.command import explained
from hearthwall_sensor.protocol import DEFAULT_SOCKET, REMOTE_ACCESS, SensorError
from hearthwall_sensor.remote import certificate, sensor_id
from tests.unit.household import Household, Serving, status


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
    shown = remote._show(made | {"not_reached": remote.not_reached(status(), DEFAULT_SOCKET)})
    assert f"Whoever shows the token may {said}. " in shown
    assert ("Prometheus" in shown) is (role == "metrics")
    assert ("Home Assistant" in shown) is (role != "metrics")
    assert "run --listen" in shown


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """A sensor, and commands that may be anybody's."""
    pytest_socket._remove_restrictions()
    monkeypatch.setattr(privileges, "require_root", lambda _: None)
    serving = Serving(tmp_path / "s.sock", Household()).start()
    yield serving
    serving.stop()


def test_nobody_is_sent_where_no_host_gets(
    serving: Serving, unit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An address that this host does not have is the likeliest mistake in the settings."""
    unit.touch()
    why = (
        "no other host reaches the sensor: no interface of this host has the address 192.0.2.1 now"
    )
    serving.household.status = status(missing={REMOTE_ACCESS: why})
    assert main(["pair", "--socket", serving.socket]) == 1
    said = capsys.readouterr()
    assert why in said.err
    assert f"listen in {service.CONFIG}" in said.err
    assert "sudo systemctl restart hearthwall-sensor" in said.err
    assert "Code" not in said.out
    state = tmp_path / "state"
    assert main(["token", "one", "--socket", serving.socket, "--state-dir", str(state)]) == 0
    said = capsys.readouterr()
    assert f"That leads nowhere yet: {why}; " in said.out
    assert "Address" not in said.out
    serving.household.status = status(listening="192.0.2.1:8447")
    assert main(["token", "two", "--socket", serving.socket, "--state-dir", str(state)]) == 0
    said = capsys.readouterr()
    assert "192.0.2.1" in said.out
    assert "nowhere" not in said.out


@pytest.mark.parametrize("command", [["token", "one"], ["certificate"], ["certificate", "--renew"]])
def test_nothing_is_made_where_no_sensor_is(
    command: list[str],
    unit: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest_socket._remove_restrictions()
    monkeypatch.setattr(privileges, "require_root", lambda _: None)
    state = tmp_path / "state"
    where = ["--socket", str(tmp_path / "s.sock"), "--state-dir", str(state)]
    assert main([*command, *where]) == 1
    assert (
        f"there is no sensor on this host, neither on {where[1]} nor in" in capsys.readouterr().err
    )
    assert not state.exists()
    state.mkdir(mode=0o700)
    sensor_id.read_or_make(state)  # one that is stopped
    assert main([*command, *where]) == 0
    assert (state / "remote.pem").exists()
    unit.touch()  # one that was installed, and has not run yet
    where[-1] = str(tmp_path / "new")
    assert main([*command, *where]) == 0


def test_the_fingerprint_is_shown_without_a_token(
    serving: Serving, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    asked = ["certificate", "--fingerprint", "--socket", serving.socket, "--state-dir", str(state)]
    assert main(asked) == 0
    first = capsys.readouterr()
    assert first.out.strip() == certificate.fingerprint(state / "remote.pem")
    assert first.err == ""
    assert not (state / "tokens.json").exists()
    assert main([*asked, "--renew"]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == certificate.fingerprint(state / "remote.pem") != first.out.strip()
    assert "end `run` and start it again" in said.err
    assert "*Reconfigure*" in said.err


def test_a_certificate_without_a_name_has_a_fingerprint(
    serving: Serving,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Home Assistant compares it, whatever Prometheus could check."""
    monkeypatch.setattr(certificate, "is_named", lambda _: False)
    where = ["--socket", serving.socket, "--state-dir", str(tmp_path / "state")]
    assert main(["certificate", *where]) == 1
    capsys.readouterr()
    assert main(["certificate", "--fingerprint", *where]) == 0
    assert len(capsys.readouterr().out.strip()) == 95
