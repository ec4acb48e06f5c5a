"""Systems that are being put together, and programs to be installed there."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hearthwall_sensor import files
from hearthwall_sensor.cli import main

SENSOR = Path(__file__).resolve().parents[2] / "bpf"
ACCOUNTS = "root:x:0:0::/root:/bin/sh\nhome:x:1000:1000::/home:/bin/sh\n"


def system_in(folder: Path) -> Path:
    """Make a system that is being put together."""
    root = folder / "system"
    for name, content in (("passwd", ACCOUNTS), ("group", "root:x:0:\nhome:x:1000:\n")):
        (root / "etc").mkdir(parents=True, exist_ok=True)
        (root / "etc" / name).write_text(content)
    return root


def source_in(folder: Path) -> Path:
    """Make a folder of programs, smaller than the real one."""
    source = folder / "bpf"
    (source / "hearthwall_sensor" / "__pycache__").mkdir(parents=True)
    (source / "hearthwall_sensor" / "__pycache__" / "cli.pyc").write_text("compiled")
    (source / "hearthwall_sensor" / "cli.py").write_text("print('sensor')")
    (source / "hearthwall-sensor").write_text("#!/bin/sh\n")
    (source / ".hidden").write_text("nobody's business")
    template = source / "hearthwall_sensor" / "installation" / "hearthwall-sensor.service.in"
    template.parent.mkdir()
    shutil.copy(SENSOR / template.relative_to(source), template)
    return source


def changed(source: Path, text: str) -> Path:
    """Return another version of the programs, with a unit of its own."""
    target = source.with_name(text)
    shutil.copytree(source, target)
    (target / "hearthwall_sensor" / "cli.py").write_text(f"print('{text}')")
    template = target / "hearthwall_sensor" / "installation" / "hearthwall-sensor.service.in"
    template.write_text(f"# {text}\n{template.read_text()}")
    return target


def tree(root: Path) -> dict[str, str]:
    """Return all that there is, but for the backups of those who change accounts."""
    return {
        str(path.relative_to(root)): _content(path)
        for path in root.rglob("*")
        if not path.name.endswith(("-", ".lock"))
    }


def _content(path: Path) -> str:
    """Return what a file, a link or a folder is."""
    if path.is_symlink():
        return f"-> {path.readlink()}"
    return path.read_text() if path.is_file() else oct(path.lstat().st_mode)


def run(name: str, root: Path, *options: str) -> int:
    """Run a command below a folder."""
    return main([name, "--root", str(root), *options])


def full(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Have the disk be full when a file of this name is written."""
    whole = files.put

    def put(folder: int, file: str, content: bytes, *rest: int, **settings: str) -> None:
        with monkeypatch.context() as patched:
            if file == name:
                patched.setattr(os, "fsync", no_room)
            whole(folder, file, content, *rest, **settings)

    def no_room(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "put", put)


class InKernel:
    """What the sensor has in the kernel; taking it out may fail."""

    def __init__(self, *, guards: bool = True) -> None:
        self.guards = guards

    def unload(self) -> bool:
        was_there, self.guards = self.guards, False
        return was_there


class Systemd:
    """What is asked of systemd, and whether the unit is active; what it is to start may fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, active: bool = False) -> None:
        self.asked: list[str] = []
        self.active = active
        self.failed = False
        self.enabled = False
        self.fails: Callable[[], Exception | None] = lambda: None
        place = "hearthwall_sensor.installation.systemd.Systemd"
        for name in ("reload", "restart", "stop", "enable", "disable"):
            monkeypatch.setattr(f"{place}.{name}", self._doing(name))
        monkeypatch.setattr(f"{place}.runs", True)
        monkeypatch.setattr(f"{place}.is_there", True)
        monkeypatch.setattr(f"{place}.is_active", property(lambda _: self.active))
        monkeypatch.setattr(f"{place}.has_failed", property(lambda _: self.failed))

    def _doing(self, name: str) -> Callable[[object], None]:
        """Return what stands for a method."""
        return lambda _: self._do(name)

    def _do(self, name: str) -> None:
        """Note what was asked, and do it."""
        self.asked.append(name)
        if name == "restart" and (error := self.fails()) is not None:
            self.active, self.failed = False, True
            raise error
        self.active = {"restart": True, "stop": False}.get(name, self.active)
        self.failed = self.failed and name not in ("restart", "stop")
        self.enabled = {"enable": True, "disable": False}.get(name, self.enabled)
