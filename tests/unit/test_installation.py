"""Installing, upgrading and uninstalling below a folder, where nothing of this host is touched."""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from hearthwall_sensor import settings
from hearthwall_sensor.cli import main
from hearthwall_sensor.installation import checking, configuration, install as installing
from hearthwall_sensor.installation.copying import copy, require_whole
from hearthwall_sensor.installation.install import Wishes, install
from hearthwall_sensor.installation.places import Places
from hearthwall_sensor.installation.steps import Steps
from hearthwall_sensor.installation.upgrade import back, upgrade
from hearthwall_sensor.protocol import SensorError
from hearthwall_sensor.trust import Trust

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")

SENSOR = Path(__file__).resolve().parents[2] / "bpf"
ACCOUNTS = "root:x:0:0::/root:/bin/sh\nhome:x:1000:1000::/home:/bin/sh\n"


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A system that is being put together."""
    root = tmp_path / "system"
    for name, content in (("passwd", ACCOUNTS), ("group", "root:x:0:\nhome:x:1000:\n")):
        (root / "etc").mkdir(parents=True, exist_ok=True)
        (root / "etc" / name).write_text(content)
    return root


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of programs, smaller than the real one."""
    source = tmp_path / "bpf"
    (source / "hearthwall_sensor" / "__pycache__").mkdir(parents=True)
    (source / "hearthwall_sensor" / "__pycache__" / "cli.pyc").write_text("compiled")
    (source / "hearthwall_sensor" / "cli.py").write_text("print('sensor')")
    (source / "hearthwall-sensor").write_text("#!/bin/sh\n")
    (source / ".hidden").write_text("nobody's business")
    return source


def tree(root: Path) -> dict[str, str]:
    """Return all that there is, but for the backups of those who change accounts."""
    return {
        str(path.relative_to(root)): path.read_text()
        if path.is_file()
        else oct(path.lstat().st_mode)
        for path in root.rglob("*")
        if not path.name.endswith(("-", ".lock"))
    }


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def run(name: str, root: Path, *options: str) -> int:
    return main([name, "--root", str(root), *options])


def test_what_is_installed(system: Path) -> None:
    assert run("install", system, "--interface", "br-lan", "--wan", "eth0", "--user", "home") == 0
    places = Places(system)
    copied = places.current.resolve()
    assert (copied / "hearthwall_sensor" / "cli.py").read_bytes() == (
        SENSOR / "hearthwall_sensor" / "cli.py"
    ).read_bytes()
    for path in (copied, *copied.rglob("*")):
        assert path.stat().st_uid == 0
        assert not path.stat().st_mode & 0o022
    assert places.command.resolve() == copied / "hearthwall-sensor"
    assert os.access(places.command, os.X_OK)
    assert stat.S_IMODE(places.config.stat().st_mode) == 0o600
    chosen = settings.read(str(places.config), {})
    assert (chosen.interfaces, chosen.wan, chosen.group) == (("br-lan",), ("eth0",), "hearthwall")
    assert (
        "ExecStart=/usr/local/lib/hearthwall/current/hearthwall-sensor run"
        in places.unit.read_text()
    )
    groups = (system / "etc" / "group").read_text()
    assert next(line for line in groups.splitlines() if line.startswith("hearthwall:")).endswith(
        ":home"
    )


def test_once_more_changes_nothing_and_leaves_your_settings_alone(system: Path) -> None:
    run("install", system, "--interface", "br-lan")
    Places(system).config.write_text('interfaces = ["mine"]\n')
    before = tree(system)
    assert run("install", system, "--interface", "br-lan") == 0
    assert tree(system) == before


@pytest.mark.parametrize("options", [(), ("--keep-state",)])
def test_uninstalling_leaves_what_was_there(system: Path, options: tuple[str, ...]) -> None:
    before = tree(system)
    run("install", system, "--interface", "br-lan", "--user", "home")
    (system / "var/lib/hearthwall").mkdir(parents=True)
    (system / "var/lib/hearthwall/rules.json").write_text("{}")
    assert run("uninstall", system, *options) == 0
    left = {name for name in tree(system).keys() - before.keys() if not name.startswith("var")}
    kept = {"etc/hearthwall", "etc/hearthwall/sensor.toml"} if options else set()
    assert left == kept
    assert (system / "var/lib/hearthwall/rules.json").exists() == bool(options)
    assert (system / "etc/group").read_text() == before["etc/group"]
    assert run("uninstall", system, *options) == 0


def test_a_group_that_was_there_stays_without_who_was_put_into_it(system: Path) -> None:
    group = system / "etc/group"
    group.write_text(group.read_text() + "hearthwall:x:990:root\n")
    before = group.read_text()
    run("install", system, "--interface", "br-lan", "--user", "home")
    assert group.read_text() != before
    # gpasswd would enter the folder, in which there is no system
    members = json.loads(Places(system).record.read_text())
    assert (members["group_made"], members["members"]) == (False, ["home"])


def test_half_an_installation_is_undone(system: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unit = system / "etc/systemd/system/hearthwall-sensor.service"
    unit.mkdir(parents=True)
    before = tree(system)
    assert run("install", system, "--interface", "br-lan") == 1
    assert "what was done is undone" in said(capsys)
    assert tree(system) == before


def test_an_installation_whose_sensor_does_not_start_is_undone(
    system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(places: Places, wishes: Wishes, steps: Steps) -> None:
        raise SensorError("internal", "it did not start")

    monkeypatch.setattr(installing, "_start", fail)
    before = tree(system)
    assert run("install", system, "--interface", "br-lan", "--user", "home") == 1
    assert tree(system) == before


@pytest.mark.parametrize("name", ["install", "upgrade", "uninstall"])
def test_only_root_may(
    system: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    before = tree(system)
    assert run(name, system) == 1
    assert f"{name} needs root: run it with sudo" in capsys.readouterr().err
    assert tree(system) == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--user", "nobody-here"), "there is no user 'nobody-here'"),
        (("--root", "/nowhere"), "there is no folder /nowhere"),
    ],
)
def test_what_is_not_there_is_said_first(
    system: Path, options: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(system)
    assert run("install", system, "--interface", "br-lan", *options) == 1
    assert sentence in capsys.readouterr().err
    assert tree(system) == before


def test_debians_package_is_left_to_dpkg(system: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (system / "usr/lib/hearthwall").mkdir(parents=True)
    for name in ("install", "uninstall"):
        assert run(name, system) == 1
        assert "Debian's package" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["usr/local/lib", "etc/systemd", "usr/local/sbin"])
def test_a_place_that_others_may_write_to_is_refused(
    system: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (system / place).mkdir(parents=True)
    (system / place).chmod(0o777)
    before = tree(system)
    assert run("install", system, "--interface", "br-lan") == 1
    assert (
        f"someone else could change {system / place}: others may write to it"
        in capsys.readouterr().err
    )
    assert tree(system) == before


def test_what_is_missing_is_named_in_one_line(
    system: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks = [
        {"name": name, "required": True, "ok": False, "fix": f"apt-get install {package}"}
        for name, package in (("bcc", "python3-bpfcc"), ("aiohttp", "python3-aiohttp"))
    ]
    report = json.dumps({"parts": lacks})
    (source / "hearthwall-sensor").write_text(f"#!/bin/sh\necho '{report}'\n")
    monkeypatch.setattr(Places, "is_this_host", True)
    monkeypatch.setattr(installing.placing, "require_own", lambda path: None)
    before = tree(system)
    with (
        pytest.raises(SensorError, match=r"apt-get install python3-bpfcc python3-aiohttp$"),
        Steps(lambda _: None) as steps,
    ):
        install(Places(system), Wishes(source, ["br-lan"]), steps)
    assert tree(system) == before


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
        checking.check(tmp_path)
    assert failed.value.code == "internal"
    assert "char 0" not in failed.value.message, "what a parser of JSON says helps nobody"


# Copies


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
        _large,
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


# Upgrades


def changed(source: Path, text: str) -> Path:
    """Return another version of the programs."""
    target = source.with_name(text)
    shutil.copytree(source, target)
    (target / "hearthwall_sensor" / "cli.py").write_text(f"print('{text}')")
    return target


def using(places: Places) -> str:
    return (places.current.resolve() / "hearthwall_sensor" / "cli.py").read_text()


@pytest.fixture
def installed(system: Path, source: Path) -> Places:
    places = Places(system)
    with Steps(lambda _: None) as steps:
        install(places, Wishes(source, ["br-lan"]), steps)
    return places


def test_an_upgrade_keeps_the_one_before_and_the_way_back(installed: Places, source: Path) -> None:
    for text in ("second", "third"):
        with Steps(lambda _: None) as steps:
            upgrade(installed, changed(source, text), steps)
        assert using(installed) == f"print('{text}')"
    assert len([each for each in installed.copies.iterdir() if each.is_dir()]) == 4  # two are links
    with Steps(lambda _: None) as steps:
        back(installed, steps)
    assert using(installed) == "print('second')"
    with Steps(lambda _: None) as steps:
        back(installed, steps)
    assert using(installed) == "print('third')"


def test_the_same_version_is_no_upgrade(installed: Places, source: Path) -> None:
    before = tree(installed.root)
    with Steps(lambda _: None) as steps:
        upgrade(installed, source, steps)
    assert "in use already" in steps.told[0]
    assert tree(installed.root) == before


def test_installing_another_version_points_to_upgrade(installed: Places, source: Path) -> None:
    before = tree(installed.root)
    with pytest.raises(SensorError, match="`upgrade`"), Steps(lambda _: None) as steps:
        install(installed, Wishes(changed(source, "second"), ["br-lan"]), steps)
    assert tree(installed.root) == before


def test_there_is_no_way_back_to_what_was_tampered_with(installed: Places, source: Path) -> None:
    with Steps(lambda _: None) as steps, pytest.raises(SensorError, match="no version before"):
        back(installed, steps)
    with Steps(lambda _: None) as steps:
        upgrade(installed, changed(source, "second"), steps)
    (installed.previous.resolve() / "hearthwall_sensor" / "cli.py").write_text("print('evil')")
    with pytest.raises(SensorError, match="is not what it was"), Steps(lambda _: None) as steps:
        back(installed, steps)
    assert using(installed) == "print('second')"


def test_an_upgrade_needs_an_installation_and_another_version(
    system: Path, source: Path, installed: Places
) -> None:
    with (
        pytest.raises(SensorError, match="run upgrade from the new"),
        Steps(lambda _: None) as steps,
    ):
        upgrade(installed, installed.current, steps)
    shutil.rmtree(installed.copies)
    with pytest.raises(SensorError, match="`install` does it"), Steps(lambda _: None) as steps:
        upgrade(installed, source, steps)


# Settings


def test_every_example_in_the_settings_is_a_setting(tmp_path: Path) -> None:
    text = configuration.text(["br-lan"])
    path = tmp_path / "sensor.toml"
    path.write_text(text)
    assert settings.read(str(path), {}).interfaces == ("br-lan",)
    lines = [line.removeprefix("# ") if " = " in line else line for line in text.splitlines()]
    path.write_text("\n".join(lines))
    assert lines != text.splitlines()
    assert settings.read(str(path), {}).wan == ("eth0",)
