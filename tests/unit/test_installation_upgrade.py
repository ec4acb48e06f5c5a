"""Another version in the place of the one in use, and the way back, whatever comes between."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hearthwall_sensor.installation import placing, upgrade as upgrading
from hearthwall_sensor.installation.install import Wishes, install
from hearthwall_sensor.installation.lock import alone
from hearthwall_sensor.installation.places import Places
from hearthwall_sensor.installation.steps import Steps
from hearthwall_sensor.installation.upgrade import back, upgrade
from hearthwall_sensor.protocol import SensorError
from tests.unit.installing import InKernel, Systemd, changed, full, run, source_in, system_in, tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return source_in(tmp_path)


@pytest.fixture
def installed(tmp_path: Path, source: Path) -> Places:
    places = Places(system_in(tmp_path))
    with Steps(lambda _: None) as steps:
        install(places, Wishes(source, ["br-lan"]), steps, InKernel())
    return places


def using(places: Places) -> str:
    """Return which version is in use."""
    return (places.current.resolve() / "hearthwall_sensor" / "cli.py").read_text()


def unit(places: Places) -> str:
    """Return whose unit is in place, by its first line."""
    return places.unit.read_text().partition("\n")[0]


def bring(places: Places, version: Path) -> list[str]:
    """Upgrade; return what was told."""
    with Steps(lambda _: None) as steps:
        upgrade(places, version, steps)
    return steps.told


def go_back(places: Places) -> None:
    with Steps(lambda _: None) as steps:
        back(places, steps)


def test_an_upgrade_keeps_the_one_before_and_the_way_back(installed: Places, source: Path) -> None:
    for text in ("second", "third"):
        bring(installed, changed(source, text))
        assert (using(installed), unit(installed)) == (f"print('{text}')", f"# {text}")
    assert len([each for each in installed.copies.iterdir() if each.is_dir()]) == 4  # two are links
    assert len(list(installed.copies.glob("*.service"))) == 2
    for text in ("second", "third"):
        go_back(installed)
        assert (using(installed), unit(installed)) == (f"print('{text}')", f"# {text}")
    assert not installed.unfinished.exists()


def test_the_same_version_is_no_upgrade(installed: Places, source: Path) -> None:
    before = tree(installed.root)
    assert "in use already" in bring(installed, source)[0]
    assert tree(installed.root) == before


def test_installing_another_version_points_to_upgrade(installed: Places, source: Path) -> None:
    before = tree(installed.root)
    with pytest.raises(SensorError, match="`upgrade`"), Steps(lambda _: None) as steps:
        install(installed, Wishes(changed(source, "second"), ["br-lan"]), steps, InKernel())
    assert tree(installed.root) == before


def test_there_is_no_way_back_to_what_was_tampered_with(installed: Places, source: Path) -> None:
    with pytest.raises(SensorError, match="no version before"):
        go_back(installed)
    bring(installed, changed(source, "second"))
    (installed.previous.resolve() / "hearthwall_sensor" / "cli.py").write_text("print('evil')")
    with pytest.raises(SensorError, match="is not what it was"):
        go_back(installed)
    assert using(installed) == "print('second')"


def test_an_upgrade_needs_an_installation_and_another_version(
    installed: Places, source: Path
) -> None:
    with pytest.raises(SensorError, match="run upgrade from the new"):
        bring(installed, installed.current)
    shutil.rmtree(installed.copies)
    with pytest.raises(SensorError, match="`install` does it"):
        bring(installed, source)
    (installed.root / "usr/lib/hearthwall").mkdir(parents=True)
    with pytest.raises(SensorError, match=r"Debian's package: apt-get install \./hearthwall"):
        bring(installed, source)


@pytest.mark.parametrize("name", ["current", "previous", "hearthwall-sensor.service", "unfinished"])
def test_an_upgrade_that_fails_anywhere_leaves_all_as_it_was(
    installed: Places, source: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(installed, changed(source, "second"))
    before = tree(installed.root)
    third = changed(source, "third")
    links = placing.link

    def link(path: Path, target: str) -> None:
        links(path, target)
        if path.name == name and "third" in using(installed):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(placing, "link", link)
    with monkeypatch.context() as patched:
        full(patched, name)
        with pytest.raises(OSError, match="No space"):
            bring(installed, third)
    assert tree(installed.root) == before
    monkeypatch.setattr(placing, "link", links)
    bring(installed, third)
    assert (using(installed), unit(installed)) == ("print('third')", "# third")


def test_what_can_not_be_undone_for_want_of_room_leaves_a_sensor(
    installed: Places, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the second link on the disk takes nothing: the link back fails, too."""
    second, links = changed(source, "second"), placing.link

    def link(path: Path, target: str) -> None:
        if path != installed.current or using(installed) != first:
            raise OSError(28, "No space left on device")
        links(path, target)

    first = using(installed)
    with monkeypatch.context() as patched:
        patched.setattr(placing, "link", link)
        with pytest.raises(OSError, match="No space"):
            bring(installed, second)
    assert using(installed) == "print('second')"
    assert installed.command.exists()
    assert "was interrupted" in bring(installed, second)[0]
    assert unit(installed) == "# second"
    go_back(installed)
    assert using(installed) == first


def test_a_kept_unit_of_an_earlier_try_stays_if_the_next_one_fails(
    installed: Places, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = changed(source, "second")
    bring(installed, second)
    go_back(installed)
    before = tree(installed.root)
    full(monkeypatch, "unfinished")
    with pytest.raises(OSError, match="No space"):
        bring(installed, second)
    assert tree(installed.root) == before


class Killed(BaseException):
    """As SIGKILL: nothing is done any more."""


@pytest.mark.parametrize("moment", ["current", "previous", "unit", "restart"])
def test_what_was_killed_is_brought_to_its_end(
    installed: Places, source: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd = Systemd(monkeypatch, active=True)
    bring(installed, changed(source, "second"))
    third = changed(source, "third")
    places = {"current": installed.current, "previous": installed.previous, "unit": installed.unit}

    def kill_after(done: Callable[..., None]) -> Callable[..., None]:
        def wrapped(path: Path, *rest: object) -> None:
            done(path, *rest)
            if path == places.get(moment) and "third" in using(installed):
                raise Killed

        return wrapped

    def kill() -> Exception | None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(placing, "link", kill_after(placing.link))
        patched.setattr(placing, "file", kill_after(placing.file))
        patched.setattr(Steps, "undo", lambda _: [])
        if moment == "restart":
            systemd.fails = kill
        with pytest.raises(Killed):
            bring(installed, third)
    systemd.fails = lambda: None
    systemd.active = True
    systemd.asked.clear()
    told = bring(installed, third)
    assert "was interrupted" in told[0]
    assert systemd.asked[-2:] == ["reload", "restart"]
    assert (using(installed), unit(installed)) == ("print('third')", "# third")
    assert installed.previous.readlink() != installed.current.readlink()
    assert "in use already" in bring(installed, third)[0]
    go_back(installed)
    assert (using(installed), unit(installed)) == ("print('second')", "# second")


def test_after_a_kill_the_way_back_leads_to_the_version_before(
    installed: Places, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise Killed

    for text in ("second", "third"):
        bring(installed, changed(source, text))
    with monkeypatch.context() as patched:
        patched.setattr(upgrading, "_unit_of", killed)
        patched.setattr(Steps, "undo", lambda _: [])
        with pytest.raises(Killed):
            bring(installed, changed(source, "fourth"))
    go_back(installed)
    assert using(installed) == "print('third')"


def test_a_version_that_does_not_come_up_is_taken_back_with_its_unit(
    installed: Places, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd = Systemd(monkeypatch, active=True)
    before = tree(installed.root)
    systemd.fails = lambda: (
        SensorError("internal", "its log") if "second" in using(installed) else None
    )
    with pytest.raises(SensorError, match="every rule stayed in force: its log"):
        bring(installed, changed(source, "second"))
    assert tree(installed.root) == before
    assert systemd.asked[-2:] == ["reload", "restart"], "the unit was put back before"
    assert systemd.active


@pytest.mark.parametrize("mended", [True, False])
def test_one_that_has_failed_is_started_by_an_upgrade_and_by_the_way_back(
    installed: Places, source: Path, monkeypatch: pytest.MonkeyPatch, mended: bool
) -> None:
    """Nobody has stopped it; and what comes up no more than the one before is taken back."""
    systemd = Systemd(monkeypatch)
    systemd.failed = True
    if mended:
        assert "The sensor had failed: started it" in bring(installed, changed(source, "second"))
        systemd.active, systemd.failed = False, True
        go_back(installed)
        assert systemd.active
        return
    before = tree(installed.root)
    systemd.fails = lambda: SensorError("internal", "its log")
    with pytest.raises(SensorError, match=r"in use again, which had failed before.*: its log"):
        bring(installed, changed(source, "second"))
    assert systemd.asked.count("restart") == 1
    assert tree(installed.root) == before


def test_it_is_said_if_the_version_before_does_not_come_up_either(
    installed: Places, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd = Systemd(monkeypatch, active=True)
    reasons = iter(("the reason", "another one"))
    systemd.fails = lambda: SensorError("internal", next(reasons))
    with pytest.raises(
        SensorError, match=r"failed, too \(another one\).* said: the reason"
    ) as told:
        bring(installed, changed(source, "second"))
    assert "every rule stayed in force" not in told.value.message
    assert using(installed) == "print('sensor')"


@pytest.mark.parametrize("active", [False, True])
def test_a_mask_and_a_stopped_sensor_stay(
    installed: Places, source: Path, active: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd = Systemd(monkeypatch, active=active)
    installed.unit.unlink()
    installed.unit.symlink_to("/dev/null")
    assert any("masked" in each for each in bring(installed, changed(source, "second")))
    assert installed.unit.readlink() == Path("/dev/null")
    installed.unit.unlink()
    shutil.copy(installed.unit_of(installed.current.readlink().name), installed.unit)
    systemd.active = False
    systemd.asked.clear()
    bring(installed, changed(source, "third"))
    assert "restart" not in systemd.asked


def test_settings_that_do_not_suit_are_told_before_anything_is_changed(
    installed: Places, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = json.dumps({"error": {"code": "invalid_message", "message": "there is no lissen"}})
    fine = json.dumps({"parts": [], "kernel": "6", "machine": "any"})
    second = changed(source, "second")
    (second / "hearthwall-sensor").write_text(
        f"#!/bin/sh\ncase $1 in check) echo '{fine}' ;; settings) echo '{fails}' ;; esac\n"
    )
    systemd = Systemd(monkeypatch, active=True)
    monkeypatch.setattr(Places, "is_this_host", True)
    before = tree(installed.root)
    with pytest.raises(SensorError, match="there is no lissen"):
        bring(installed, second)
    assert tree(installed.root) == before
    assert systemd.asked == []


def test_there_is_no_way_back_to_what_does_not_understand_the_state(
    installed: Places, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a rule of a mode that came with the version in use."""
    said = json.dumps({"state_dir": "/var/lib/hearthwall", "newer_state": "rules.json (mode new)"})
    older = changed(source, "older")
    (older / "hearthwall-sensor").write_text(f"#!/bin/sh\necho '{said}'\n")
    bring(installed, older)
    bring(installed, changed(source, "newer"))
    systemd = Systemd(monkeypatch, active=True)
    monkeypatch.setattr(Places, "is_this_host", True)
    before = tree(installed.root)
    with pytest.raises(SensorError, match=r"rules\.json \(mode new\)") as refused:
        go_back(installed)
    assert refused.value.code == "newer_state"
    assert tree(installed.root) == before
    assert systemd.asked == []


def test_two_at_once_do_not_destroy_each_other(
    installed: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(installed.root)
    for name in ("install", "upgrade", "uninstall"):
        with alone(installed, "upgrade"):
            assert run(name, installed.root) == 1
        assert "another install, upgrade or uninstall is going on" in capsys.readouterr().err
    assert tree(installed.root) == before
    with alone(installed, "upgrade"):
        pass
    number = f"{installed.root.stat().st_ino:x}"
    assert list(Path("/run").glob(f"hearthwall-installation-*-{number}.lock")) == []


def test_what_a_copying_left_is_removed(installed: Places, source: Path) -> None:
    (installed.copies / ".new-left" / "folder").mkdir(parents=True)
    bring(installed, changed(source, "second"))
    assert not (installed.copies / ".new-left").exists()
