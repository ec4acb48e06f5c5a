"""The app's files: what the Supervisor reads is what it documents, and says the same as the program."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import voluptuous as vol
import yaml

from hearthwall_sensor import cli, settings
from hearthwall_sensor.protocol import DEFAULT_SOCKET, DEFAULT_STATE_DIR
from tests.unit.app import APP, chosen, run, supervisor

ROOT = APP.parent
CONFIG: dict[str, Any] = yaml.safe_load((APP / "config.yaml").read_text())

#: Of an option, as the Supervisor documents them.
ELEMENT = vol.Match(
    r"^(bool|port|str(\(\d*,\d*\))?|int(\(-?\d*,-?\d*\))?|list\(.+\)|match\(.*\))\??$"
)
#: The documented keys that the app uses, with what they may be.
SCHEMA = vol.Schema(
    {
        vol.Required("name"): str,
        vol.Required("version"): vol.Match(r"^\d+\.\d+\.\d+((a|b|rc)\d+)?$"),
        vol.Required("slug"): vol.Match(r"^[-_.A-Za-z0-9]+$"),
        vol.Required("description"): str,
        vol.Required("arch"): [vol.In(("aarch64", "amd64"))],
        vol.Required("image"): vol.Match(r"^ghcr\.io/[-a-z]+/[-a-z]+$"),
        "url": vol.Url(),
        "startup": vol.In(("initialize", "system", "services", "application", "once")),
        "boot": vol.In(("auto", "manual", "manual_only")),
        "init": bool,
        "timeout": vol.All(int, vol.Range(10, 300)),
        "host_network": bool,
        "privileged": [
            vol.In(("BPF", "NET_ADMIN", "NET_RAW", "PERFMON", "SYS_ADMIN", "SYS_PTRACE"))
        ],
        "apparmor": bool,
        "map": [{"type": "app_config", "path": "/config"}],
        "discovery": [str],
        "options": dict,
        "schema": {str: vol.Any(ELEMENT, [ELEMENT])},
    }
)


def test_the_supervisor_takes_the_configuration() -> None:
    SCHEMA(CONFIG)
    for name, default in CONFIG["options"].items():
        assert isinstance(default, list) == isinstance(CONFIG["schema"][name], list)
    needed = {
        name
        for name, kind in CONFIG["schema"].items()
        if not (kind[0] if isinstance(kind, list) else kind).endswith("?")
    }
    assert needed == set(CONFIG["options"]), "what must be there has a default"


def test_it_asks_for_no_more_than_it_needs() -> None:
    assert CONFIG["privileged"] == ["BPF", "NET_ADMIN", "PERFMON"]
    assert not set(CONFIG) & {
        "full_access",
        "host_pid",
        "host_dbus",
        "docker_api",
        "hassio_api",
    }
    assert CONFIG["map"] == [{"type": "app_config", "path": "/config"}], "read only, and its own"
    profile = (APP / "apparmor.txt").read_text()
    allowed = set(re.findall(r"^ +capability (\w+),$", profile, re.MULTILINE))
    assert {each.lower() for each in CONFIG["privileged"]} <= allowed
    assert not allowed & {"sys_admin", "sys_module", "sys_ptrace", "sys_rawio", "mknod", "setfcap"}
    assert re.findall(r"^profile (\S+)", profile, re.MULTILINE) == [CONFIG["slug"]]


def test_the_profile_is_one_to_apparmor() -> None:
    done = subprocess.run(
        ["apparmor_parser", "--skip-kernel-load", "--skip-cache", APP / "apparmor.txt"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_option_has_words(language: str) -> None:
    words = yaml.safe_load((APP / "translations" / f"{language}.yaml").read_text())
    assert list(words["configuration"]) == list(CONFIG["schema"])
    assert all(each["name"] and each["description"] for each in words["configuration"].values())
    documented = re.findall(r"^\| `(\w+)` \|", (APP / "DOCS.md").read_text(), re.MULTILINE)
    assert documented == list(CONFIG["schema"])


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        ("interfaces", ["br-lan", "end0", "eth0.10"], ["", "a b", "../x", "sixteen-letters-"]),
        ("dns_servers", ["192.168.1.2", "fd00::2"], ["dns.example.org"]),
        ("floods", ["wan:syn=200"], ["wan:all=1", "wan:syn="]),
        ("listen", ["192.168.1.1:8447", "[fd00::1]:8447"], ["8447", "gateway:8447"]),
    ],
)
def test_options_take_what_makes_sense(option: str, good: list[str], bad: list[str]) -> None:
    kind = CONFIG["schema"][option]
    pattern = (kind[0] if isinstance(kind, list) else kind).removesuffix("?")[6:-1]
    assert [each for each in good if not re.match(pattern, each)] == []
    assert [each for each in bad if re.match(pattern, each)] == []


def test_options_become_the_sensors_own(tmp_path: Path) -> None:
    said = {
        "interfaces": ["br-lan", "-x"],
        "wan": ["eth0"],
        "dns_servers": ["192.168.1.2"],
        "floods": ["wan:syn=200"],
        "listen": "192.168.1.1:8447",
    }
    (tmp_path / "options.json").write_text(json.dumps(said))
    options = parsed(run.Chosen(run.read_options(tmp_path), (tmp_path,)))
    assert options.interface == said["interfaces"], "and none of them becomes an option"
    assert (options.wan, options.flood) == (said["wan"], said["floods"])
    assert (options.dns_server, options.listen) == (said["dns_servers"], said["listen"])
    assert options.cgroup == "none"
    assert {*chosen.FLAGS, "listen", "pair", "unload_on_stop"} == set(CONFIG["schema"])


def parsed(chosen: Any, *, alone: bool = False) -> Any:
    """Return what the sensor makes of the line that the app runs."""
    return cli._parsed(chosen.line(alone=alone)[1:])


def test_settings_hold_where_no_option_says_otherwise(tmp_path: Path) -> None:
    """Which is also how sinks and metrics are set up: they have no options."""
    config, data = tmp_path / "config", tmp_path / "data"
    for folder in (config, data):
        folder.mkdir()
    (data / "sensor.toml").write_text('interfaces = ["other"]')
    (config / "sensor.toml").write_text(
        'interfaces = ["br-lan"]\nlisten = "192.168.1.1:8447"\ncgroup = "/sys/fs/cgroup/x"\n'
        'metrics_devices = "pseudonym"\nstate_dir = "/elsewhere"\nsocket = "/elsewhere"\n'
        '[[sink]]\nname = "siem"\ntype = "syslog"\nserver = "192.168.1.9"\n'
    )
    both = run.Chosen({}, (config, data))
    assert both.has_interfaces
    assert both.refused == chosen.FIXED
    said = parsed(both)
    assert said.config == str(config / "sensor.toml"), "the app's own folder comes first"
    given = {
        "interfaces": said.interface,
        "listen": said.listen,
        "cgroup": said.cgroup,
        "socket": said.socket,
        "state_dir": said.state_dir,
    }
    in_force = settings.read(said.config, given)
    assert in_force.interfaces == ("br-lan",)
    assert (in_force.listen, in_force.cgroup) == ("192.168.1.1:8447", "/sys/fs/cgroup/x")
    assert (in_force.socket, in_force.state_dir) == (DEFAULT_SOCKET, DEFAULT_STATE_DIR)
    assert in_force.metrics_devices == "pseudonym"
    assert [each.name for each in in_force.sinks] == ["siem"]
    optional = run.Chosen({"interfaces": ["end0"], "listen": "0.0.0.0:9000"}, (config, data))
    assert (parsed(optional).interface, optional.listen) == (["end0"], "0.0.0.0:9000")
    (data / "options.json").write_text("{}")
    (config / "sensor.toml").write_text("interfaces = [")
    assert run.main([], data, config) == 1


def test_settings_in_the_document_are_ones(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", (APP / "DOCS.md").read_text(), re.DOTALL)
    (tmp_path / "sensor.toml").write_text(text)
    (sink,) = settings.read(str(tmp_path / "sensor.toml"), {}).sinks
    assert sink.name == "broker"


def test_only_where_home_assistants_own_supervisor_is_it_is_the_hosts_only_sensor() -> None:
    nothing = run.Chosen({}, ())
    assert not nothing.has_interfaces
    assert (nothing.listen, nothing.refused) == (chosen.LISTEN, {})
    assert not parsed(nothing).alone
    assert parsed(nothing, alone=True).alone


@pytest.mark.parametrize(
    ("listen", "reached"),
    [
        (chosen.LISTEN, ("127.0.0.1", 8447)),
        ("0.0.0.0:9000", ("127.0.0.1", 9000)),
        ("[::]:9000", ("::1", 9000)),
        ("[fd00::1]:8447", ("fd00::1", 8447)),
    ],
)
def test_home_assistant_is_sent_to_where_the_sensor_listens(
    listen: str, reached: tuple[str, int]
) -> None:
    assert supervisor.reached_at(listen) == reached


def test_the_image_has_the_packages_that_the_package_names() -> None:
    dockerfile = (APP / "Dockerfile").read_text().replace("\\\n", " ")
    (installed,) = re.findall(r"hearthwall-sensor\.deb  +(.*?) && rm", dockerfile)
    control = (ROOT / "debian" / "control").read_text()
    recommended = control.split("Recommends:\n")[1].split("Description:")[0]
    assert installed.split() == re.findall(r"[\w-]+", recommended)
    (tools,) = re.findall(
        r"install --yes --no-install-recommends +(debhelper.*)$", dockerfile, re.MULTILINE
    )
    assert set(tools.split()) - {"dpkg-dev"} == {"debhelper", "dh-python", "help2man", "python3"}
    for source in re.findall(r"^COPY ([a-z]\S+) ", dockerfile, re.MULTILINE):
        assert (ROOT / source).exists()
        assert f"!{source}\n" in (ROOT / ".dockerignore").read_text()


def test_it_looks_like_hearthwall_and_is_found_in_the_repository() -> None:
    brand = ROOT / "custom_components" / "hearthwall" / "brand"
    for picture in ("icon.png", "logo.png"):
        assert (APP / picture).read_bytes() == (brand / picture).read_bytes()
    said = yaml.safe_load((ROOT / "repository.yaml").read_text())
    assert set(said) == {"name", "url", "maintainer"}
    assert {"README.md", "DOCS.md", "CHANGELOG.md"} <= {each.name for each in APP.iterdir()}
    manifest = json.loads((brand.parent / "manifest.json").read_text())
    assert CONFIG["version"] == manifest["version"]
