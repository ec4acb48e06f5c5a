"""Taking an installed sensor away: all of it, and nothing else."""

import json
import os
import shutil
from pathlib import Path

import pytest

from hearthwall_sensor.installation.install import Wishes, install
from hearthwall_sensor.installation.places import Places
from hearthwall_sensor.installation.steps import Steps
from hearthwall_sensor.installation.uninstall import uninstall
from hearthwall_sensor.protocol import SensorError
from tests.unit.installing import InKernel, run, source_in, system_in, tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(system_in(tmp_path))


def put_in(places: Places, source: Path) -> None:
    with Steps(lambda _: None) as steps:
        install(places, Wishes(source_in(source), ["br-lan"], users=["home"]), steps, InKernel())


@pytest.fixture
def installed(places: Places, tmp_path: Path) -> Places:
    """An installation whose sensor has run."""
    put_in(places, tmp_path)
    for each in (*places.state, places.cache, places.run):
        each.mkdir(parents=True)
    (places.state[0] / "rules.json").write_text("{}")
    (places.run / "sensor.sock.lock").write_text("")
    return places


def take_out(places: Places, *, keep_state: bool = False) -> list[str]:
    """Uninstall; return what was told."""
    with Steps(lambda _: None) as steps:
        uninstall(places, steps, InKernel(), keep_state=keep_state)
    return steps.told


@pytest.mark.parametrize("options", [(), ("--keep-state",)])
def test_uninstalling_leaves_what_was_there(
    places: Places, tmp_path: Path, options: tuple[str, ...]
) -> None:
    before = tree(places.root)
    put_in(places, tmp_path)
    (places.root / "var/lib/hearthwall").mkdir(parents=True)
    (places.root / "var/lib/hearthwall/rules.json").write_text("{}")
    assert run("uninstall", places.root, *options) == 0
    left = {each for each in tree(places.root).keys() - before.keys() if not each.startswith("var")}
    kept = {"etc/hearthwall", "etc/hearthwall/sensor.toml"} if options else set()
    assert left == kept
    assert (places.root / "var/lib/hearthwall/rules.json").exists() == bool(options)
    is_member = "hearthwall:x:999:home\n" in (places.root / "etc/group").read_text()
    assert is_member == bool(options), "Home Assistant's user is not locked out of the next one"
    if options:
        put_in(places, tmp_path / "again")
        assert not places.kept_record.exists()
        assert run("uninstall", places.root) == 0
    assert (places.root / "etc/group").read_text() == before["etc/group"]
    assert run("uninstall", places.root, *options) == 0


def test_a_sensor_that_nobody_installed_keeps_its_state(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one that Home Assistant runs, with the same folders."""
    places.state[0].mkdir(parents=True)
    (places.state[0] / "rules.json").write_text("{}")
    before = tree(places.root)
    places.copies.mkdir(parents=True)

    kernel = InKernel()
    with Steps(lambda _: None) as steps:
        assert not uninstall(places, steps, kernel, keep_state=False)
    assert kernel.guards
    assert run("uninstall", places.root) == 0
    assert "Nothing was installed" in capsys.readouterr().out
    assert tree(places.root) == before | {
        name: oct(0o40755) for name in ("usr", "usr/local", "usr/local/lib")
    }


def test_a_record_that_was_kept_is_believed_as_far_as_it_goes(
    places: Places, tmp_path: Path
) -> None:
    """It is among the state, which the sensor may write."""
    mine = places.root / "mine"
    mine.mkdir()
    places.kept_record.parent.mkdir(parents=True)
    for said in ({"members": [1]}, {"folders": ["/mine"], "members": ["root"], "complete": True}):
        places.kept_record.write_text(json.dumps(said))
        put_in(places, tmp_path)
        shutil.rmtree(tmp_path / "bpf")
        assert run("uninstall", places.root) == 0
        places.kept_record.parent.mkdir(parents=True)
    assert mine.is_dir()


@pytest.mark.parametrize("keep_state", [False, True])
def test_what_is_set_beside_the_unit_is_a_setting(installed: Places, keep_state: bool) -> None:
    own = installed.unit.with_name(f"{installed.unit.name}.d") / "override.conf"
    own.parent.mkdir()
    own.write_text("[Service]\n")
    take_out(installed, keep_state=keep_state)
    assert own.exists() == keep_state


def test_after_a_power_cut_at_the_last_moment_the_command_goes_and_nothing_else(
    installed: Places,
) -> None:
    """State that is there then may be of a sensor that Home Assistant runs."""
    shutil.rmtree(installed.copies)
    installed.unit.unlink()
    assert any("Removed" in each for each in take_out(installed))
    assert not installed.command.is_symlink()
    assert (installed.state[0] / "rules.json").exists()


def test_where_the_programs_are_gone_the_unit_tells_that_they_were_there(
    installed: Places,
) -> None:
    shutil.rmtree(installed.copies)
    told = take_out(installed)
    assert not installed.unit.exists()
    assert not installed.command.is_symlink()
    assert not installed.state[0].exists()
    assert any("whether it was made here" in each for each in told)


def test_your_own_files_among_the_settings_stay_and_are_named(installed: Places) -> None:
    mine = installed.config.parent / "mine.key"
    mine.write_text("mine")
    told = take_out(installed)
    assert not installed.config.exists()
    assert mine.read_text() == "mine"
    assert any(each.endswith("with what is yours: mine.key") for each in told)
    assert any(str(installed.state[1]) in each for each in told), "logs are named"


def test_other_sensors_sockets_stay(installed: Places) -> None:
    other = installed.run / "other.sock.lock"
    other.write_text("")
    take_out(installed)
    assert [each.name for each in installed.run.iterdir()] == [other.name]


def test_what_is_somebody_elses_stays(installed: Places, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("#!/bin/sh\n")
    installed.command.unlink()
    installed.command.symlink_to(theirs)
    installed.unit.write_text("[Service]\nExecStart=/opt/other/run\n")
    told = take_out(installed)
    assert installed.command.readlink() == theirs
    assert "/opt/other" in installed.unit.read_text()
    assert any("is not what was installed: it stays" in each for each in told)
    assert not installed.copies.exists()


def test_a_state_folder_that_is_a_link_or_a_mount_is_no_obstacle(
    installed: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, logs = installed.state
    elsewhere = tmp_path / "disk"
    shutil.move(state, elsewhere)
    state.symlink_to(elsewhere)
    (logs / "folder").mkdir()
    (logs / "events.json").write_text("{}")
    monkeypatch.setattr(Path, "is_mount", lambda each: each == logs)
    told = take_out(installed)
    assert not state.is_symlink()
    assert (elsewhere / "rules.json").exists()
    assert list(logs.iterdir()) == []
    assert any(f"what is in {elsewhere} is left to you" in each for each in told)
    assert not installed.command.is_symlink()


def test_what_can_not_be_removed_keeps_only_the_way_to_try_again(
    installed: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, logs = installed.state
    rmtree = shutil.rmtree

    def busy(path: Path, **settings: bool) -> None:
        if path == state:
            raise OSError(16, "Device or resource busy", str(path))
        rmtree(path, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", busy)
        with pytest.raises(SensorError, match=rf"{state} \(Device or resource busy\)"):
            take_out(installed)
    assert not logs.exists()
    assert not installed.config.exists()
    assert installed.command.exists()
    take_out(installed)
    assert not installed.command.is_symlink()
    assert not state.exists()
    assert not installed.copies.exists()


def test_what_a_kill_left_half_written_goes_too(installed: Places) -> None:
    left = [
        each.with_name(f".{each.name}.new")
        for each in (installed.unit, installed.config, installed.command)
    ]
    for each in left:
        each.write_text("half")
    take_out(installed)
    assert [each for each in left if each.exists()] == []


def test_debians_package_keeps_what_is_its_own(installed: Places) -> None:
    (installed.root / "usr/lib/hearthwall").mkdir(parents=True)
    take_out(installed)
    assert installed.config.exists()
    assert (installed.state[0] / "rules.json").exists()
    assert "hearthwall:" in (installed.root / "etc/group").read_text()
    assert not installed.copies.exists()
