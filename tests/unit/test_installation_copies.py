"""What is copied to where only root can change it, and whose files are not."""

import os
from pathlib import Path

import pytest

from hearthwall_sensor.installation import checking, copying
from hearthwall_sensor.installation.copying import copy, require_whole
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.trust import Trust
from tests.unit.installing import source_in
from tests.unit.test_trust import STRANGER, let_write

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return source_in(tmp_path)


def copies(tmp_path: Path) -> Path:
    folder = tmp_path / "copies"
    folder.mkdir()
    return folder


def test_a_copy_is_named_by_what_is_in_it(source: Path, tmp_path: Path) -> None:
    folder = copies(tmp_path)
    first = copy(source, folder, Trust())
    assert copy(source, folder, Trust()) == first
    assert [path.name for path in folder.iterdir()] == [first.name]
    assert {str(path.relative_to(first)) for path in first.rglob("*")} == {
        "hearthwall-sensor",
        "hearthwall_sensor",
        "hearthwall_sensor/cli.py",
        "hearthwall_sensor/installation",
        "hearthwall_sensor/installation/hearthwall-sensor.service.in",
    }
    assert os.access(first / "hearthwall-sensor", os.X_OK), "a zip may not have kept it"
    (source / "hearthwall_sensor" / "cli.py").write_text("print('other')")
    assert copy(source, folder, Trust()) != first
    (first / "hearthwall_sensor" / "cli.py").write_text("print('evil')")
    with pytest.raises(SensorError, match="is not what it was"):
        require_whole(first)


def _link(source: Path) -> None:
    (source / "hearthwall_sensor" / "shadow").symlink_to("/etc/shadow")


def _link_to_a_folder(source: Path) -> None:
    (source / "hearthwall_sensor" / "etc").symlink_to("/etc")


def _pipe(source: Path) -> None:
    os.mkfifo(source / "pipe")


def _of_another(source: Path) -> None:
    os.chown(source / "hearthwall_sensor" / "cli.py", 1000, 1000)


def _folder_of_another(source: Path) -> None:
    os.chown(source / "hearthwall_sensor", 1000, 1000)


def _for_all(source: Path) -> None:
    (source / "hearthwall_sensor" / "cli.py").chmod(0o666)


def _above(source: Path) -> None:
    source.parent.chmod(0o777)


def _by_an_acl(source: Path) -> None:
    let_write(source / "hearthwall_sensor" / "cli.py", STRANGER)


def _many(source: Path) -> None:
    for number in range(4001):
        (source / f"{number}").mkdir()


def _large(source: Path) -> None:
    with (source / "large").open("wb") as file:
        file.truncate(65 * 1024 * 1024)


@pytest.mark.parametrize(
    "spoil",
    [
        _link,
        _link_to_a_folder,
        _pipe,
        _of_another,
        _folder_of_another,
        _for_all,
        _above,
        _by_an_acl,
        _large,
        _many,
    ],
)
def test_a_source_that_others_could_change_is_not_copied(
    source: Path, tmp_path: Path, spoil: object
) -> None:
    folder = copies(tmp_path)
    assert callable(spoil)
    spoil(source)
    with pytest.raises(SensorError) as refused:
        copy(source, folder, Trust())
    assert refused.value.code == "unsafe_files"
    assert list(folder.iterdir()) == []


def test_the_files_of_who_said_sudo_are_taken(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (source, *source.rglob("*")):
        os.chown(path, 1000, 1000)
    monkeypatch.delenv("SUDO_UID", raising=False)
    with pytest.raises(SensorError, match="someone else could change"):
        copy(source, copies(tmp_path), Trust.of_caller())
    monkeypatch.setenv("SUDO_UID", "1000")
    copied = copy(source, tmp_path / "copies", Trust.of_caller())
    assert {path.stat().st_uid for path in (copied, *copied.rglob("*"))} == {0}
    monkeypatch.setenv("SUDO_UID", "1001")
    with pytest.raises(SensorError):
        copy(source, tmp_path / "copies", Trust.of_caller())


def test_a_name_need_not_be_utf8(source: Path, tmp_path: Path) -> None:
    (source / os.fsdecode(b"\xff")).write_text("content")
    copied = copy(source, copies(tmp_path), Trust())
    assert (copied / os.fsdecode(b"\xff")).read_text() == "content"
    require_whole(copied)


def test_a_disk_that_fails_takes_no_copy(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        """A C library whose disk does not take what is written."""

        @staticmethod
        def syncfs(_: int) -> int:
            return -1

    monkeypatch.setattr(copying.ctypes, "CDLL", lambda *_, **__: Failing)
    monkeypatch.setattr(copying.ctypes, "get_errno", lambda: 5)
    with pytest.raises(SensorError, match="Input/output error") as failed:
        copy(source, copies(tmp_path), Trust())
    assert failed.value.code == "storage_failed"
    assert list((tmp_path / "copies").iterdir()) == []


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("#!/bin/sh\necho 'Traceback' >&2\necho 'SyntaxError: line 3' >&2\nexit 1\n", "line 3$"),
        ("#!/bin/sh\nexit 7\n", "it ended with status 7$"),
        ("#!/nowhere/python3\n", "No such file"),
    ],
)
def test_a_copy_that_does_not_start_says_why(tmp_path: Path, program: str, reason: str) -> None:
    (tmp_path / "hearthwall-sensor").write_text(program)
    (tmp_path / "hearthwall-sensor").chmod(0o755)
    with pytest.raises(SensorError, match=f"(?s)does not start: .*{reason}") as failed:
        checking.check(tmp_path, tmp_path / "none")
    assert failed.value.code == "internal"
    assert "char 0" not in failed.value.message, "what a parser of JSON says helps nobody"


def test_a_copy_that_is_there_is_taken_only_if_it_is_whole(source: Path, tmp_path: Path) -> None:
    folder = copies(tmp_path)
    made = copy(source, folder, Trust())
    (made / "hearthwall_sensor" / "cli.py").write_text("print('another')")
    with pytest.raises(SensorError, match="is not what it was") as failed:
        copy(source, folder, Trust())
    assert failed.value.code == "unsafe_files"
    assert [each.name for each in folder.iterdir()] == [made.name], "nothing is left of the try"
