"""scripts/package --deb: the sensor's Debian package, as Debian's own tools build and judge it."""

import contextlib
import fnmatch
import gzip
import os
import re
import shlex
import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from hearthwall_sensor.installation import configuration, unit
from lab import Lab
from lab.home import DEVICES
from tests.container import Image
from tests.gateway.programs import attachments, qdiscs, reaches
from tests.scripts.test_package import package

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()

INSTALLED = "usr/lib/hearthwall"
CONFIG = "etc/hearthwall/sensor.toml"
COMMAND = "hearthwall-sensor"
CAMERA = DEVICES["camera"]
#: What dpkg, man-db and the shadow tools keep for themselves.
DPKG_OWN = (
    *("/var/lib/dpkg/", "/var/log/", "/var/cache/man/", "/var/lib/systemd/"),
    *("/etc/g", "/etc/.pwd.lock"),
)


def output(*line: str | Path) -> bytes:
    return subprocess.run(line, capture_output=True, check=True).stdout


def fields(deb: Path) -> dict[str, str]:
    said = output("dpkg-deb", "--field", deb).decode()
    return dict(re.findall(r"^([A-Z][\w-]+): (.*)$", said, re.MULTILINE))


@pytest.fixture(scope="module", autouse=True)
def _date() -> Iterator[None]:
    """Build as of one commit, whatever is committed meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1790000000")
        yield


@pytest.fixture(scope="module")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("deb") / "hearthwall-sensor.deb"
    built = package("--deb", "--version", "2.3.4b5", "--output", target)
    assert built.returncode == 0, built.stderr[-3000:]
    return target


@pytest.fixture(scope="module")
def unpacked(deb: Path) -> Path:
    subprocess.run(["dpkg-deb", "-R", deb, folder := deb.parent / "unpacked"], check=True)
    return folder


@pytest.fixture(scope="module")
def members(deb: Path) -> Iterator[dict[str, tarfile.TarInfo]]:
    with tarfile.open(fileobj=BytesIO(output("dpkg-deb", "--fsys-tarfile", deb))) as archive:
        yield {each.name.removeprefix("./"): each for each in archive.getmembers()}


def test_lintian_has_no_error(deb: Path) -> None:
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error", deb],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_same_commit_gives_the_same_bytes(deb: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.deb"
    assert package("--deb", "--version", "2.3.4b5", "--output", again).returncode == 0
    assert again.read_bytes() == deb.read_bytes()


def test_the_version_is_older_than_its_release_and_is_stamped(deb: Path, unpacked: Path) -> None:
    assert fields(deb)["Version"] == "2.3.4~b5"
    subprocess.run(["dpkg", "--compare-versions", "2.3.4~b5", "lt", "2.3.4"], check=True)
    said = output("/usr/bin/python3", "-I", unpacked / INSTALLED / "hearthwall-sensor", "--version")
    assert said == b"hearthwall-sensor 2.3.4b5\n"


def test_needs_what_the_readme_installs(deb: Path) -> None:
    (line,) = re.findall(r"apt-get install (python3-bpfcc.*?)\n```", README, re.DOTALL)
    named = set(line.replace("\\", " ").split())
    depends, recommends = (
        {each.split(" ")[0].split(":")[0] for each in fields_of(deb, name)}
        for name in ("Depends", "Recommends")
    )
    assert named <= depends | recommends
    assert recommends < named, "what may be left out is recommended, all else needed"
    assert depends - named == {"adduser", "libbpf1", "libseccomp2", "python3"}


def fields_of(deb: Path, name: str) -> list[str]:
    return fields(deb)[name].split(", ")


def test_holds_all_of_the_sensor_and_nothing_else(members: dict[str, tarfile.TarInfo]) -> None:
    wanted = {
        f"{INSTALLED}/{path.relative_to(ROOT / 'bpf')}"
        for path in (ROOT / "bpf").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "COPYING"
    }
    held = {name for name, each in members.items() if each.isfile()}
    assert {name for name in held if name.startswith(INSTALLED)} == wanted
    others = {name for name in held - wanted if not name.startswith("usr/share/")}
    assert {Path(each).name for each in others} == {"hearthwall-sensor.service", "configured.conf"}
    assert all("systemd/system" in each for each in others)


def test_nobody_but_root_may_change_anything(members: dict[str, tarfile.TarInfo]) -> None:
    assert {(each.uid, each.gid) for each in members.values()} == {(0, 0)}
    assert not [name for name, each in members.items() if not each.issym() and each.mode & 0o7022]


def test_dpkg_does_not_take_the_settings_for_its_own(
    members: dict[str, tarfile.TarInfo], unpacked: Path
) -> None:
    """At a purge it would remove them, though a sensor was installed from a folder since."""
    assert CONFIG not in members
    assert not (unpacked / "DEBIAN" / "conffiles").exists()


def test_the_document_says_where_it_is_and_how_it_is_used(
    deb: Path, members: dict[str, tarfile.TarInfo]
) -> None:
    section = (ROOT / "docs/install.md").read_text().split("## The Debian package")[1]
    section = section.split("\n## ")[0]
    rows = re.findall(r"^\| (programs|command|unit) \| `/([^`]+)` \|", section, re.MULTILINE)
    assert len(rows) == 3
    for _, path in rows:
        assert path in members or any(each.startswith(f"{path}/") for each in members)
    (pattern,) = re.findall(r"apt-get install \./(\S+\.deb)\n", section)
    version = fields(deb)["Version"]
    assert fnmatch.fnmatchcase(f"hearthwall-sensor_{version}_all.deb", pattern)
    assert re.search(r"`sudo adduser \S+ hearthwall`", section)
    assert "adduser" in fields_of(deb, "Depends")


def test_the_command_is_on_roots_path_with_a_page_in_the_manual(
    members: dict[str, tarfile.TarInfo], unpacked: Path
) -> None:
    command = members["usr/sbin/hearthwall-sensor"]
    assert (unpacked / "usr/sbin" / command.linkname).resolve() == (
        unpacked / INSTALLED / "hearthwall-sensor"
    )
    page = gzip.decompress((unpacked / "usr/share/man/man8/hearthwall-sensor.8.gz").read_bytes())
    assert b"take everything out of the kernel" in page


# Installed, over this machine's own Debian


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Image]:
    with Image(tmp_path) as image:
        yield image


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    lab = Lab(f"deb{os.getpid()}")
    lab.up()
    yield lab
    lab.down()


@pytest.mark.lab
@pytest.mark.timeout(300)
def test_installs_guards_is_upgraded_and_leaves_nothing(
    deb: Path, lab: Lab, machine: Image, tmp_path: Path
) -> None:
    newer = tmp_path / "newer.deb"
    assert package("--deb", "--version", "2.3.4", "--output", newer).returncode == 0
    before = (
        machine.changed(),
        machine.run("getent", "group").stdout,
        attachments(lab),
        qdiscs(lab),
    )
    passing = left_passing(machine)

    said = machine.run("dpkg", "--install", deb).stdout
    assert "nothing is guarded yet" in said
    assert "hearthwall" in machine.run("getent", "group").stdout
    settings = machine.root / CONFIG
    assert settings.stat().st_mode & 0o777 == 0o600
    socket = f"/run/hearthwall/other{os.getpid()}.sock"
    named = f'["br-lan"]\nsocket = "{socket}"'
    settings.write_text(settings.read_text().replace("[]", named))

    with running(machine, lab) as sensor:
        assert "2.3.4b5" in machine.run(COMMAND, "status", "--json", f"--socket={socket}").stdout
        machine.run(COMMAND, "block", CAMERA.mac, f"--socket={socket}")
        assert not reaches(lab)
        # The old one's modules are gone, its process is not
        assert "guarded yet" not in machine.run("dpkg", "--install", newer).stdout
        assert not reaches(lab)
        sensor.terminate()
        sensor.wait(10)
        assert not reaches(lab), "what systemd does: it restarts the sensor after the upgrade"
    assert '["br-lan"]' in settings.read_text()
    with running(machine, lab):
        assert '"2.3.4"' in machine.run(COMMAND, "status", "--json", f"--socket={socket}").stdout
        assert not reaches(lab)
        machine.run("dpkg", "--remove", "hearthwall-sensor", lab=lab)
        assert reaches(lab), "and the sensor has ended"
    assert settings.is_file(), "settings and rules stay until it is purged"
    machine.run("dpkg", "--purge", "hearthwall-sensor")
    left = {path for path in machine.changed() - before[0] if not path.startswith(DPKG_OWN)}
    assert not left
    assert left_passing(machine) == passing
    assert (machine.run("getent", "group").stdout, attachments(lab), qdiscs(lab)) == before[1:]


def left_passing(machine: Image) -> set[str]:
    """Return what is of a sensor where nothing outlives a restart of the host."""
    shown = machine.run(
        "sh", "-c", "ls -d /run/hearthwall/* /run/hearthwall /sys/fs/bpf/hearthwall", check=False
    )
    return set(shown.stdout.split())


@contextlib.contextmanager
def running(machine: Image, lab: Lab) -> Iterator[subprocess.Popen[str]]:
    """Run the installed sensor as the unit does."""
    options = ("--config", f"/{CONFIG}", "--cgroup", "none", "--supervised")
    line = [*machine.within, "chroot", f"{machine.place}/root", COMMAND, "run", *options]
    with subprocess.Popen(
        lab.argv("gateway", line), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "READY\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.lab
def test_a_sensor_that_was_installed_from_a_folder_comes_first(deb: Path, machine: Image) -> None:
    copies = machine.root / "usr/local/lib/hearthwall"
    (copies / "0.1.0-0123456789ab").mkdir(parents=True)
    (copies / "current").symlink_to("0.1.0-0123456789ab")
    refused = machine.run("dpkg", "--install", deb, check=False)
    assert refused.returncode != 0
    assert "uninstall --keep-state" in refused.stderr
    assert not (machine.root / INSTALLED).exists()


@pytest.mark.lab
def test_a_purge_leaves_what_its_user_has_put_beside_the_settings(
    deb: Path, machine: Image
) -> None:
    machine.run("dpkg", "--install", deb)
    password = machine.root / "etc/hearthwall/mqtt.password"
    password.write_text("secret")
    assert "/etc/hearthwall" in machine.run("dpkg", "--purge", "hearthwall-sensor").stdout
    assert password.read_text() == "secret"
    assert not (machine.root / CONFIG).exists()


@pytest.mark.lab
def test_a_purge_leaves_a_sensor_that_was_installed_from_a_folder_since(
    deb: Path, machine: Image
) -> None:
    machine.run("dpkg", "--install", deb)
    machine.run("dpkg", "--remove", "hearthwall-sensor")
    copies = machine.root / "usr/local/lib/hearthwall"
    (copies / "0.1.0-0123456789ab").mkdir(parents=True)
    (copies / "current").symlink_to("0.1.0-0123456789ab")
    state = machine.root / "var/lib/hearthwall"
    state.mkdir(exist_ok=True)
    wanted = machine.root / "etc/systemd/system/multi-user.target.wants/hearthwall-sensor.service"
    wanted.unlink(missing_ok=True)
    wanted.symlink_to("/etc/systemd/system/hearthwall-sensor.service")
    machine.run("dpkg", "--purge", "hearthwall-sensor")
    assert (machine.root / CONFIG).is_file()
    assert state.is_dir()
    assert wanted.is_symlink(), "it is started at boot"
    helpers = machine.root / "var/lib/systemd/deb-systemd-helper-enabled"
    assert not list(helpers.rglob("hearthwall-sensor.service*"))
    assert "hearthwall" in machine.run("getent", "group").stdout


@pytest.mark.lab
def test_a_purge_ends_though_something_is_mounted_and_leaves_the_state_of_another_sensor(
    deb: Path, machine: Image
) -> None:
    """As logs on a memory file system, and a sensor that Home Assistant has started since."""
    machine.run("dpkg", "--install", deb)
    machine.run("dpkg", "--remove", "hearthwall-sensor")
    state, logs = machine.root / "var/lib/hearthwall", machine.root / "var/log/hearthwall"
    for each in (state, logs, machine.root / "run/hearthwall"):
        each.mkdir(parents=True, exist_ok=True)
    machine.run("mount", "-t", "tmpfs", "logs", "/var/log/hearthwall")
    for each in (state, logs):
        machine.run("touch", f"/{(each / 'kept').relative_to(machine.root)}")
    purge = ("dpkg", "--purge", "hearthwall-sensor")
    said = machine.run("flock", "/run/hearthwall/sensor.sock.lock", *purge).stdout
    assert "a sensor runs that is not the package's" in said
    assert (state / "kept").exists()
    assert "hearthwall" in machine.run("getent", "group").stdout
    machine.run("dpkg", "--install", deb)
    said = machine.run(*purge).stdout
    assert "/var/log/hearthwall stays" in said
    assert machine.run("ls", "-A", "/var/log/hearthwall").stdout == ""
    assert not state.exists()
    assert "hearthwall" not in machine.run("getent", "group").stdout


@pytest.mark.parametrize(
    ("said", "starts"),
    [
        ("interfaces = []", False),
        ('# interfaces = ["br-lan"]', False),
        ('interfaces = ["br-lan"]', True),
        ("\ninterfaces = [\n  # the home\n  'br-lan',\n]", True),
        ('"interfaces" = ["br-lan"]', True),
        ('wan = ["eth0"]', True),
        ('interface = ["br-lan"]', True),
        ("interfaces = [", True),
    ],
)
def test_the_unit_is_left_out_only_while_nothing_is_named(
    unpacked: Path, tmp_path: Path, said: str, starts: bool
) -> None:
    """A mistake is no reason to leave it out: the sensor tells of it, and the unit fails for all to see."""
    (drop_in,) = unpacked.rglob("configured.conf")
    assert drop_in.parent.name == "hearthwall-sensor.service.d"
    (line,) = re.findall(r"^ExecCondition=(.*)$", drop_in.read_text(), re.MULTILINE)
    (tmp_path / "sensor.toml").write_text(f"{said}\n")
    shell, option, script = shlex.split(line.replace("$$", "$"))
    for installed, here in (
        ("/usr/sbin/hearthwall-sensor", unpacked / INSTALLED / "hearthwall-sensor"),
        (f"/{CONFIG}", tmp_path / "sensor.toml"),
    ):
        assert script.count(installed) == 1
        script = script.replace(installed, str(here))
    done = subprocess.run([shell, option, script], capture_output=True, check=False)
    assert (done.returncode == 0) is starts


def test_the_unit_is_the_one_of_install(unpacked: Path) -> None:
    (found,) = unpacked.rglob("hearthwall-sensor.service")
    assert found.read_text() == unit.text(Path("/usr/sbin/hearthwall-sensor"))
    template = unpacked / "usr/share/hearthwall-sensor/sensor.toml"
    assert template.read_text() == configuration.text([])
