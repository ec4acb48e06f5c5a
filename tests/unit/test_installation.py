"""Installing, upgrading and uninstalling below a folder, where nothing of this host is touched."""

import dataclasses
import grp
import json
import os
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from hearthwall_sensor import settings
from hearthwall_sensor.installation import accounts, configuration, install as installing
from hearthwall_sensor.installation.install import Wishes, install
from hearthwall_sensor.installation.places import Places
from hearthwall_sensor.installation.steps import Steps
from hearthwall_sensor.network import topology
from hearthwall_sensor.protocol import SensorError
from tests.unit.installing import SENSOR, InKernel, Systemd, full, run, source_in, system_in, tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")

#: A group of Debian's that has no members, and one that has.
STAFF, SYSLOG = grp.getgrnam("staff").gr_gid, grp.getgrnam("nogroup").gr_gid


@pytest.fixture
def system(tmp_path: Path) -> Path:
    return system_in(tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return source_in(tmp_path)


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
    assert run("install", system) == 0
    assert run("install", system, "--interface", "mine") == 0
    assert tree(system) == before


def test_a_group_that_was_there_stays_without_who_was_put_into_it(system: Path) -> None:
    group = system / "etc/group"
    group.write_text(group.read_text() + "hearthwall:x:990:root\n")
    before = group.read_text()
    run("install", system, "--interface", "br-lan", "--user", "home")
    assert group.read_text() != before
    # gpasswd would enter the folder, in which there is no system
    members = json.loads(Places(system).record.read_text())
    assert (members["group_made"], members["members"]) == (False, ["home"])


@pytest.mark.parametrize("name", ["installed.json", "sensor.toml", "hearthwall-sensor.service"])
def test_half_an_installation_is_undone(
    system: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(system)
    full(monkeypatch, name)
    assert run("install", system, "--interface", "br-lan", "--user", "home") == 1
    shown = capsys.readouterr()
    assert "what was done is undone" in shown.out
    assert "No space left" in shown.err
    assert tree(system) == before


def test_an_installation_whose_sensor_does_not_start_is_undone(
    system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(
        places: Places, wishes: Wishes, steps: Steps, kernel: InKernel, *, is_new: bool
    ) -> None:
        raise SensorError("internal", "it did not start")

    monkeypatch.setattr(installing, "_start", fail)
    before = tree(system)
    assert run("install", system, "--interface", "br-lan", "--user", "home") == 1
    assert tree(system) == before


@pytest.mark.parametrize("said", ["home", "1000"])
def test_a_user_may_be_given_by_number(system: Path, said: str) -> None:
    """Who runs Home Assistant in a container has no name there."""
    assert accounts.name_of(Places(system), said) == "home"
    for nobody in ("", "1", "home:x", "x"):
        with pytest.raises(SensorError, match="there is no user"):
            accounts.name_of(Places(system), nobody)


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


def test_a_group_without_members_is_nobody_else(system: Path) -> None:
    """As staff, whose /usr/local is on hosts that were Debian long ago; and what is in /var/log, sinks look at."""
    for place, group in (("usr/local/lib", STAFF), ("var/log", SYSLOG)):
        (system / place).mkdir(parents=True)
        os.chown(system / place, 0, group)
        (system / place).chmod(0o2775)
    assert run("install", system, "--interface", "br-lan") == 0


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
        install(Places(system), Wishes(source, ["br-lan"]), steps, InKernel())
    assert tree(system) == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--interface", "tv"), 'says interfaces = ["br-lan"], not ["tv"]'),
        (("--wan", "eth1"), 'says wan = [], not ["eth1"]'),
    ],
)
def test_other_interfaces_than_those_of_the_settings_are_an_error(
    system: Path, options: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("install", system, "--interface", "br-lan")
    before = tree(system)
    assert run("install", system, *options) == 1
    assert sentence in capsys.readouterr().err
    assert tree(system) == before


def test_one_interface_has_one_side(system: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(system)
    assert run("install", system, "--interface", "br-lan", "--wan", "br-lan") == 1
    assert "br-lan is either the home's side or the internet's" in capsys.readouterr().err
    assert tree(system) == before


@pytest.mark.parametrize("interfaces", [[], ["br-lan"]])
def test_the_wan_must_be_there(
    system: Path, source: Path, interfaces: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the home's side is found out."""
    fine = json.dumps({"parts": [], "kernel": "6", "machine": "any"})
    (source / "hearthwall-sensor").write_text(f"#!/bin/sh\necho '{fine}'\n")
    bridge = topology.NetInterface(
        1, "br-lan", "bridge", "00:00:5e:00:53:01", None, True, ("192.168.1.1/24",), False
    )
    monkeypatch.setattr(topology, "read", lambda: topology.Network({1: bridge}))
    monkeypatch.setattr(Places, "is_this_host", True)
    monkeypatch.setattr(installing.placing, "require_own", lambda path: None)
    monkeypatch.setattr(installing, "_group", lambda *_: None)
    monkeypatch.setattr(installing, "_unit", lambda *_, **__: None)
    monkeypatch.setattr(installing, "_start", lambda *_, **__: True)
    before = tree(system)
    with (
        pytest.raises(SensorError, match="no interface 'nowhere'; there are br-lan"),
        Steps(lambda _: None) as steps,
    ):
        install(Places(system), Wishes(source, interfaces, wan=["nowhere"]), steps, InKernel())
    assert tree(system) == before
    with Steps(lambda _: None) as steps:
        install(Places(system), Wishes(source, interfaces), steps, InKernel())
    assert settings.read(str(Places(system).config), {}).interfaces == ("br-lan",)


def test_who_stopped_the_sensor_keeps_it_stopped(
    system: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd = Systemd(monkeypatch)
    with Steps(lambda _: None) as steps:
        assert install(Places(system), Wishes(source, ["br-lan"]), steps, InKernel())
    assert systemd.asked == ["reload", "enable", "restart"]
    systemd.active = False
    systemd.asked.clear()
    with Steps(lambda _: None) as steps:
        assert not install(Places(system), Wishes(source, users=["home"]), steps, InKernel())
    assert systemd.asked == []
    assert any("was stopped, and stays so" in each for each in steps.told)


@pytest.mark.parametrize("guarded", [False, True])
def test_what_does_not_come_up_leaves_nobody_cut_off(
    system: Path, source: Path, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """What it has put into the kernel before it failed goes; what was there before it is somebody else's."""
    systemd, kernel, places = Systemd(monkeypatch), InKernel(guards=guarded), Places(system)
    (places.state[0] / "learnt before").mkdir(parents=True)
    for each in (places.state[1], places.cache, places.run):
        each.parent.mkdir(parents=True, exist_ok=True)
    before = tree(system)

    def fail() -> Exception:
        kernel.guards = True
        for each in (places.state[1], places.cache, places.run):
            each.mkdir()
        return SensorError("internal", "it guards, but it does not come up")

    systemd.fails = fail
    with pytest.raises(SensorError, match="does not come up"), Steps(lambda _: None) as steps:
        install(places, Wishes(source, ["br-lan"]), steps, kernel)
    assert kernel.guards == guarded
    assert systemd.asked[-3:] == ["stop", "disable", "reload"]
    assert tree(system) == before


def test_one_that_has_failed_is_started_and_a_stopped_one_is_not(
    system: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd = Systemd(monkeypatch)
    with Steps(lambda _: None) as steps:
        install(Places(system), Wishes(source, ["br-lan"]), steps, InKernel())
    systemd.active, systemd.failed = False, True
    with Steps(lambda _: None) as steps:
        assert install(Places(system), Wishes(source), steps, InKernel())
    assert systemd.active
    assert "The sensor had failed: started it" in steps.told


def test_accounts_and_units_in_another_encoding_are_read(
    system: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As they are on hosts that were installed long ago."""
    for name, line in (("passwd", "josé:x:9:9:José:/:/bin/sh\n"), ("group", "café:x:9:\n")):
        path = system / "etc" / name
        path.write_bytes(path.read_bytes() + line.encode("latin-1"))
    unit = Places(system).unit
    unit.parent.mkdir(parents=True)
    unit.write_bytes("# café\n".encode("latin-1"))
    assert run("install", system, "--interface", "br-lan", "--user", "home") == 1
    assert "somebody else's" in capsys.readouterr().err
    unit.unlink()
    assert run("install", system, "--interface", "br-lan", "--user", "home") == 0


def test_what_was_interrupted_is_brought_to_its_end(
    system: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill anywhere: all that was made is on record, and the next installation goes on."""

    def killed(places: Places, steps: Steps, *, is_new: bool) -> None:
        raise KeyboardInterrupt

    places, before = Places(system), tree(system)
    with monkeypatch.context() as patched:
        patched.setattr(installing, "_unit", killed)
        patched.setattr(Steps, "undo", lambda _: [])
        with pytest.raises(KeyboardInterrupt), Steps(lambda _: None) as steps:
            install(places, Wishes(source, ["br-lan"], users=["home"]), steps, InKernel())
    systemd = Systemd(monkeypatch)
    with Steps(lambda _: None) as steps:
        install(places, Wishes(source), steps, InKernel())
    assert systemd.active
    assert run("uninstall", system) == 0
    assert tree(system) == before


@pytest.mark.parametrize("moment", ["groupadd", "folder"])
def test_what_is_made_is_on_record_before(
    system: Path, source: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, before = Places(system), tree(system)
    make_folder = installing.placing.folder

    def make() -> None:
        raise KeyboardInterrupt

    def folder(path: Path) -> None:
        make_folder(path)
        if path == places.unit.parent:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if moment == "folder":
            patched.setattr(installing.placing, "folder", folder)
        else:
            patched.setattr(installing.accounts, "make", lambda _: make())
        patched.setattr(Steps, "undo", lambda _: [])
        with pytest.raises(KeyboardInterrupt), Steps(lambda _: None) as steps:
            install(places, Wishes(source, ["br-lan"]), steps, InKernel())
    assert json.loads(places.record.read_text())["group_made"] == (moment == "groupadd")
    assert run("uninstall", system) == 0
    assert tree(system) == before


def _other_command(places: Places) -> None:
    places.command.parent.mkdir(parents=True)
    places.command.symlink_to("/opt/other/hearthwall-sensor")


def _other_unit(places: Places) -> None:
    places.unit.parent.mkdir(parents=True)
    places.unit.write_text("[Service]\nExecStart=/opt/other/hearthwall-sensor run\n")


def _mask(places: Places) -> None:
    places.unit.parent.mkdir(parents=True)
    places.unit.symlink_to("/dev/null")


@pytest.mark.parametrize(
    ("put", "sentence"),
    [
        (_other_command, "somebody else's"),
        (_other_unit, "somebody else's"),
        (_mask, "a link to /dev/null: systemctl unmask"),
    ],
)
def test_what_is_somebody_elses_is_not_taken(
    system: Path,
    put: Callable[[Places], None],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put(Places(system))
    before = tree(system)
    assert run("install", system, "--interface", "br-lan") == 1
    assert sentence in capsys.readouterr().err
    assert tree(system) == before


def test_who_else_is_in_the_group_is_told(system: Path, capsys: pytest.CaptureFixture[str]) -> None:
    group = system / "etc/group"
    group.write_text(f"{group.read_text()}\n+\nhearthwall:x:990:games,home\n")
    assert run("install", system, "--interface", "br-lan", "--user", "home") == 0
    assert "was there before: games may talk to the sensor, too" in capsys.readouterr().out


def test_links_of_a_system_do_not_lead_out_of_it(system: Path, tmp_path: Path) -> None:
    """They are followed as that system will follow them."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (system / "usr").mkdir()
    (system / "usr/local").symlink_to(outside)
    (system / "etc/hearthwall").symlink_to("../../../../../opt/settings")
    before = list(outside.iterdir())
    assert run("install", system, "--interface", "br-lan") == 0
    assert list(outside.iterdir()) == before
    within = system / outside.relative_to("/")
    assert (within / "lib/hearthwall/current").is_symlink()
    assert (system / "opt/settings/sensor.toml").is_file()
    assert run("uninstall", system) == 0
    assert not (system / "opt/settings").exists()
    assert not within.exists()


def test_links_in_a_circle_are_refused(system: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (system / "usr").symlink_to("/usr")
    assert run("install", system, "--interface", "br-lan") == 1
    assert "links in a circle" in capsys.readouterr().err


def test_that_it_runs_is_said_only_where_it_does(
    system: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("install", system, "--interface", "br-lan")
    assert capsys.readouterr().out.endswith("\nInstalled.\n")


# Settings


#: What the unit says, or no gateway needs.
ELSEWHERE = {"socket", "state_dir", "wait", "alone", "file", "sinks"}


@pytest.mark.parametrize("name", ["br-\U0001f3e0", "br-\x7f", 'br-"\\', "br-\n"])
def test_any_name_of_an_interface_is_written_so_that_it_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "sensor.toml"
    path.write_text(configuration.text([name], [f"{name}2"]))
    path.chmod(0o600)
    text = tomllib.loads(path.read_text())
    assert (text["interfaces"], text["wan"]) == ([name], [f"{name}2"])


def test_a_name_that_is_no_text_is_refused(
    system: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("install", system, "--interface", "br-\udcff") == 1
    assert "is not UTF-8" in capsys.readouterr().err


def test_every_setting_is_in_the_settings_as_an_example(tmp_path: Path) -> None:
    text = configuration.text(["br-lan"])
    path = tmp_path / "sensor.toml"
    path.write_text(text)
    assert settings.read(str(path), {}).interfaces == ("br-lan",)
    lines = [
        line.removeprefix("# ") if " = " in line or line == "# [[sink]]" else line
        for line in text.splitlines()
    ]
    path.write_text("\n".join(lines))
    chosen = settings.read(str(path), {})
    assert chosen.wan == ("eth0",)
    assert [each.type for each in chosen.sinks] == ["file"]
    named = {line.partition(" = ")[0] for line in lines if " = " in line}
    assert {each.name for each in dataclasses.fields(settings.Settings)} - named == ELSEWHERE
