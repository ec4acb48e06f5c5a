"""Who could change a file or a folder."""

import grp
import os
import struct
from pathlib import Path

import pytest

from hearthwall_sensor import files
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.trust import Trust

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")

STRANGER = 65534
#: Tags of entries, and who has none of a number, as posix_acl_xattr.h has them.
_USER_OBJ, _USER, _GROUP_OBJ, _MASK, _OTHER, _NOBODY = 0x01, 0x02, 0x04, 0x10, 0x20, 0xFFFFFFFF


def let_write(path: Path, user: int) -> None:
    """Let one more user write to a file, by an ACL."""
    entries = ((_USER_OBJ, 6, _NOBODY), (_USER, 6, user), (_GROUP_OBJ, 4, _NOBODY))
    packed = b"".join(
        struct.pack("<HHI", *each) for each in (*entries, (_MASK, 6, _NOBODY), (_OTHER, 4, _NOBODY))
    )
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + packed)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.write_text("content")
    file.chmod(0o644)
    return file


def test_roots_own_is_fine(file: Path) -> None:
    for trust in (Trust(), Trust.own(), Trust.of_caller()):
        assert trust.doubt(file) is None
        trust.require_path(file)


def test_a_user_whom_an_acl_lets_write_is_somebody_else(file: Path) -> None:
    lone = Trust(lone_groups=True)
    file.chmod(0o664)
    assert lone.doubt(file) is None, "nobody but root is in root's group"
    assert Trust().doubt(file) is not None
    let_write(file, STRANGER)
    assert file.stat().st_mode & 0o777 == 0o664, "the mode does not tell"
    for trust in (lone, Trust()):
        assert "others may write to it" in (trust.doubt(file) or "")
        opened = os.open(file, os.O_RDONLY)
        try:
            assert trust.doubt(opened) is not None
        finally:
            os.close(opened)


def test_a_group_with_others_in_it_is_others(file: Path) -> None:
    os.chown(file, 0, grp.getgrnam("nogroup").gr_gid)
    file.chmod(0o664)
    assert Trust(lone_groups=True).doubt(file) is not None


def test_what_is_above_counts_unless_it_is_sticky(tmp_path: Path, file: Path) -> None:
    folder = tmp_path / "above"
    folder.mkdir()
    within = file.rename(folder / "file")
    folder.chmod(0o777)
    assert Trust().doubt_above(within) == (folder, Trust().doubt(folder))
    with pytest.raises(SensorError, match=f"someone else could change {folder}: others"):
        Trust().require_path(within)
    folder.chmod(0o1777)
    assert Trust().doubt_above(within) is None
    os.chown(folder, STRANGER, STRANGER)
    assert "belongs to nobody" in str(Trust().doubt_above(within))


def test_nothing_is_left_of_what_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    files.write(path, b"first")
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            files.write(path, b"second")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("file", b"first")]
