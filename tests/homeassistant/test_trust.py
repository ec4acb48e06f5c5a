"""Root runs only what nobody else can change."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from custom_components.hearthwall.trust import find_untrusted

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs files that root owns")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as an installation has it, below a sticky /tmp."""
    folder = tmp_path / "bpf"
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "module.py").write_text("")
    (folder / "launcher").write_text("")
    return folder


def test_roots_own_files_are_trusted(folder: Path) -> None:
    assert find_untrusted(folder) is None


def test_a_link_to_the_folder_is_judged_by_where_it_leads(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert find_untrusted(link) is None
    (folder / "launcher").chmod(0o666)
    assert find_untrusted(link) == folder / "launcher"


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("launcher", lambda path: path.chmod(0o646)),
        ("launcher", lambda path: path.chmod(0o664)),
        ("package/module.py", lambda path: os.chown(path, 1000, -1)),
        ("package", lambda path: path.chmod(0o777)),
        ("package", lambda path: path.chmod(0o1777)),
        ("", lambda path: path.chmod(0o775)),
        ("..", lambda path: os.chown(path.resolve(), 1000, -1)),
        ("..", lambda path: path.resolve().chmod(0o777)),
    ],
)
def test_what_others_could_change_is_found(
    folder: Path, name: str, spoil: Callable[[Path], None]
) -> None:
    path = folder / name
    spoil(path)
    assert find_untrusted(folder) == path.resolve()


def test_a_link_inside_is_not_trusted(folder: Path, tmp_path: Path) -> None:
    (folder / "package" / "other.py").symlink_to(tmp_path / "elsewhere.py")
    assert find_untrusted(folder) == folder / "package" / "other.py"
