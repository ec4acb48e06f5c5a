"""Root puts a file or a folder where the user can put something else in its place."""

import os
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hearthwall_sensor import files, settings
from hearthwall_sensor.commands import output
from hearthwall_sensor.kernel import cache, units
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.server import Server
from hearthwall_sensor.sinks.log_file import LogFile
from hearthwall_sensor.sinks.secret import read_secret
from hearthwall_sensor.sinks.sink import SinkError
from tests.unit.household import Household

pytestmark = pytest.mark.lab

STRANGER = 65534


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that only root reads and writes."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    return secret


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder of another user's."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, STRANGER, STRANGER)
    return theirs


def untouched(secret: Path) -> bool:
    """Return whether a file of root's is as it was."""
    said = secret.stat()
    return (secret.read_text(), stat.S_IMODE(said.st_mode), said.st_uid, said.st_gid) == (
        "secret",
        0o600,
        0,
        0,
    )


def _below(theirs: Path) -> Path:
    """A folder of root's in one of the user's, who may move it away."""
    (theirs / "state").mkdir(mode=0o700)
    return theirs / "state"


def _linked(theirs: Path) -> Path:
    """A link of the user's to a folder of root's."""
    (theirs.parent / "etc").mkdir(mode=0o700)
    (theirs / "state").symlink_to(theirs.parent / "etc")
    return theirs / "state"


@pytest.mark.parametrize("place", [_below, _linked, lambda theirs: theirs])
def test_no_state_is_kept_where_the_user_decides_what_is_there(
    theirs: Path, place: Callable[[Path], Path]
) -> None:
    with pytest.raises(SensorError) as refused:
        files.private_folder(place(theirs))
    assert refused.value.code == "unsafe_files"


def test_state_is_kept_where_only_root_decides(tmp_path: Path) -> None:
    """Also behind a link of root's, to another disk."""
    (tmp_path / "disk").mkdir(mode=0o700)
    (tmp_path / "state").symlink_to(tmp_path / "disk")
    files.private_folder(tmp_path / "state")


def test_state_that_is_a_link_by_now_is_not_written_through(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "rules.json.new").symlink_to(secret)
    files.write(tmp_path / "rules.json", b"{}")
    assert untouched(secret)
    assert (tmp_path / "rules.json").read_bytes() == b"{}"


class _Swapped(socket.socket):
    """A socket in whose place there is a link as soon as it has one."""

    leads_to: Path

    def bind(self, address: object) -> None:
        super().bind(address)
        place = Path(str(address))
        place.rename(place.with_name("moved"))
        place.symlink_to(self.leads_to)


def test_the_sockets_rights_go_to_no_other_file(
    tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may write to its folder swaps it at the very moment at which it is there."""
    monkeypatch.setattr("hearthwall_sensor.server.socket.socket", _Swapped)
    _Swapped.leads_to = secret
    server = Server(str(tmp_path / "s.sock"), "nogroup", Household())
    server.claim()
    said = (tmp_path / "moved").stat()
    assert untouched(secret)
    assert (stat.S_IMODE(said.st_mode), said.st_gid) == (0o660, STRANGER)
    assert os.getegid() == 0


@pytest.mark.parametrize(
    "change", [lambda path: os.chown(path, STRANGER, 0), lambda path: path.chmod(0o664)]
)
def test_settings_that_the_user_can_change_are_not_read(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """They say where sinks write, as root."""
    path = tmp_path / "sensor.toml"
    path.write_text('interfaces = ["br-lan"]\n')
    path.chmod(0o644)
    assert settings.read(str(path), {}).interfaces == ("br-lan",)
    change(path)
    with pytest.raises(SensorError) as refused:
        settings.read(str(path), {})
    assert refused.value.code == "unsafe_files"


def _log(path: Path) -> None:
    """Write a line to a log."""
    log = LogFile(path, mode=0o600, most=1000, keep=2, longest=100)
    log.open()
    log.append([b"{}\n"])
    log.close()


def test_no_log_is_written_into_a_folder_of_the_users(theirs: Path, secret: Path) -> None:
    (theirs / "events.json").symlink_to(secret)
    with pytest.raises((SinkError, OSError)):
        _log(theirs / "events.json")
    (theirs / "events.json").unlink()
    with pytest.raises((SinkError, OSError)):
        _log(theirs / "events.json")
    assert untouched(secret)


def test_no_log_is_written_through_a_link(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "events.json").symlink_to(secret)
    with pytest.raises((SinkError, OSError)):
        _log(tmp_path / "events.json")
    assert untouched(secret)


def test_a_password_that_the_user_could_change_is_no_secret(theirs: Path) -> None:
    path = theirs / "password"
    path.write_text("x")
    path.chmod(0o600)
    os.chown(path, STRANGER, STRANGER)
    with pytest.raises(SinkError):
        read_secret(path)


def test_what_a_command_writes_for_root_replaces_a_link(theirs: Path, secret: Path) -> None:
    """`metrics --output` and `mud export`: into a folder where the user has put a link beforehand."""
    (theirs / "out").symlink_to(secret)
    output.put(theirs / "out", b"new")
    assert untouched(secret)
    assert (theirs / "out").read_bytes() == b"new"


def test_no_cache_of_the_users_is_read_or_written(
    theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "FOLDER", theirs)
    doubts: list[str] = []
    assert list(cache.found(units.NETWORK, doubts)) == []
    assert "someone else could change" in doubts[-1]


def test_installing_takes_no_place_that_the_user_decides_on(theirs: Path) -> None:
    """A system that is put together in a folder of the user's."""
    line = ["/usr/bin/python3", "-I", str(units.SOURCES / "hearthwall-sensor"), "install"]
    line += ["--root", str(theirs), "--interface", "br-lan", "--no-start", "--json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert "unsafe_files" in done.stdout
    assert list(theirs.iterdir()) == []
