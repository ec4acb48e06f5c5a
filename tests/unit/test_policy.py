"""The policy's file: strictly read, merged from all to the device, followed while the sensor runs."""

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hearthwall_sensor.errors import SensorError
from hearthwall_sensor.policy import file as policy_files
from hearthwall_sensor.policy.file import PolicyFile, content, parsed
from hearthwall_sensor.policy.policy import FORBIDDEN, DevicePolicy, Response
from hearthwall_sensor.policy.reading import KEYS, read
from hearthwall_sensor.requests import Hint
from tests.devices import CAMERA, PHONE, TV

WHOLE = f"""
[all]
sensitivity = "low"
countries = ["DE", "NL"]
detectors = {{ beacon = "audit", flood = "off" }}

[[all.respond]]
severity = "critical"
action = "block_peer"

[label.iot]
local = true
learning = "10m"
quiet_hours = ["23:00-06:00", "12:00-24:00"]
detectors = {{ beacon = "on" }}

[label.media]
local = false
sensitivity = "high"

[device."{CAMERA.upper()}"]
labels = ["media", "iot"]
sensitivity = "normal"
forbidden_protocols = ["telnet"]
allowed_protocols = ["irc"]
mud_from_device = true

[[device."{CAMERA}".respond]]
kind = "port_scan"
severity = "medium"
action = "quarantine"
duration = "2h"

[segment.main]
networks = ["192.168.10.0/24"]

[segment.iot]
networks = ["192.168.0.0/16", "2001:db8:20::/64"]
may_reach = ["main", "10.0.0.0/8"]
""".replace(f'[[device."{CAMERA}"', f'[[device."{CAMERA.upper()}"')


def policy(tmp_path: Path, text: str, **more: Any) -> PolicyFile:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    path.chmod(0o644)
    return PolicyFile(path, **more)


def mapped(address: str) -> bytes:
    return b"\0" * 10 + b"\xff\xff" + bytes(map(int, address.split(".")))


def refusal(text: str) -> str:
    with pytest.raises(SensorError) as error:
        read(parsed(text.encode(), "policy.toml"))
    assert error.value.code == "invalid_policy"
    assert len(error.value.message) < 1200
    return error.value.message


def test_without_a_file_everything_is_as_usual(tmp_path: Path) -> None:
    nothing = PolicyFile(tmp_path / "policy.toml")
    assert nothing.device(CAMERA) == DevicePolicy()
    assert (nothing.problem, nothing.exists, dict(nothing.segments)) == (None, False, {})
    assert nothing.device(CAMERA).responses == ()


def test_a_device_s_words_go_before_its_labels_and_those_before_all(tmp_path: Path) -> None:
    found = policy(tmp_path, WHOLE)
    assert found.problem is None
    camera = found.device(CAMERA)
    assert camera.labels == ("iot", "media")
    assert camera.sensitivity == "normal"
    assert camera.local is False  # media stands after iot in the file
    assert camera.learning == 600
    assert camera.countries == {"DE", "NL"}
    assert camera.quiet_hours == ((1380, 360), (720, 1440))
    assert camera.mud_from_device
    assert (camera.forbidden_protocols, camera.allowed_protocols) == ({"telnet"}, {"irc"})
    assert camera.responses == (Response("port_scan", "medium", "quarantine", 7200.0),)
    assert (camera.mode("beacon"), camera.mode("flood")) == ("on", "off")
    tv = found.device(TV)
    assert (tv.sensitivity, tv.local, tv.learning) == ("low", None, 7 * 86400)
    assert tv.forbidden_protocols == FORBIDDEN
    assert tv.responses == (Response(None, "critical", "block_peer", 3600.0),)
    assert (tv.mode("beacon"), tv.mode("flood"), tv.mode("port_scan")) == ("audit", "off", "on")
    assert found.device(TV, ["iot"]).local is True


def test_a_hint_counts_below_the_file_s_words_on_the_device(tmp_path: Path) -> None:
    text = f'[all]\nlocal = false\n[label.iot]\nlocal = false\nsensitivity = "high"\n[device."{TV}"]\nlocal = false\n'
    hints = {
        CAMERA: Hint(local=True),
        TV: Hint(local=True),
        PHONE: Hint(local=True, labels=("iot",)),
    }
    found = policy(tmp_path, text, hints=hints)
    assert found.device(CAMERA).local is True
    assert found.device(TV).local is False
    assert found.device(PHONE).local is False
    assert found.device(PHONE).sensitivity == "high"
    found.set_hints({TV: Hint(labels=("iot",))})
    assert found.device(CAMERA).local is False
    assert found.device(TV).labels == ("iot",)


def test_any_mac_of_a_device_is_the_device(tmp_path: Path) -> None:
    merged = {CAMERA: (CAMERA, TV), TV: (CAMERA, TV)}
    text = (
        f'[device."{TV}"]\nlocal = true\nsensitivity = "low"\n[device."{CAMERA}"]\nlocal = false\n'
    )
    found = policy(tmp_path, text, macs_of=lambda mac: merged.get(mac, (mac,)))
    assert found.device(TV) == found.device(CAMERA)
    assert found.device(TV).local is False  # the MAC that stands for the device goes first
    assert found.device(TV).sensitivity == "low"
    merged.clear()
    found.clear()
    assert found.device(TV).local is True
    assert found.device(CAMERA).sensitivity == "normal"


def test_segments_are_found_by_their_narrowest_prefix(tmp_path: Path) -> None:
    found = policy(tmp_path, WHOLE)
    assert found.segment(mapped("192.168.10.7")) == "main"
    assert found.segment(mapped("192.168.11.7")) == "iot"
    assert found.segment(bytes.fromhex("20010db8002000000000000000000001")) == "iot"
    assert found.segment(mapped("203.0.113.7")) is None
    device = found.device(TV)
    assert device.reach("iot") == {"main", "10.0.0.0/8"}
    assert device.reach("main") is None
    own = policy(tmp_path, WHOLE.replace("[label.media]", '[label.media]\nmay_reach = ["main"]'))
    assert own.device(CAMERA).reach("iot") == {"main"}
    assert own.device(CAMERA).reach("main") == {"main"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[al]\n", "there is no section 'al', but all, label, device, segment"),
        ("all = 1\n", "[all] is a section with keys"),
        ("label = 1\n", "[label] has sections below it"),
        ("[label]\niot = 1\n", "[label.iot] is a section with keys"),
        ("[all]\nlocl = true\n", "[all] has no key 'locl'; there are local, "),
        ('[all]\nlabels = ["iot"]\n', "[all] has no key 'labels'"),
        ('[all]\nlocal = "yes"\n', "[all] local is true or false, not 'yes'"),
        ('[label.a]\ncountries = ["Germany"]\n', "[label.a] countries holds countries' two"),
        ("[label.a]\ncountries = []\n", "countries names one country at least"),
        ('[all]\nquiet_hours = ["25:00-06:00"]\n', "\"23:00-06:00\", not '25:00-06:00'"),
        ('[all]\nquiet_hours = ["06:00-06:00"]\n', "end at another time"),
        ('[all]\nquiet_hours = "23:00-06:00"\n', "quiet_hours is a list of spans"),
        ('[all]\nsensitivity = "hi"\n', "sensitivity is one of low, normal, high, not 'hi'"),
        ('[all]\nlearning = "7w"\n', 'learning is a time with its unit such as "10m"'),
        ("[all]\nlearning = 10\n", "with its unit"),
        ('[all]\nlearning = "10"\n', "with its unit"),
        ("[all]\nlearning = inf\n", "learning is a time"),
        ("[all]\nlearning = true\n", "learning is a time"),
        ('[all]\ndetectors = { beacn = "on" }\n', "detectors names new_device, "),
        ('[all]\ndetectors = { beacon = "of" }\n', "detectors beacon is one of on, off, audit"),
        ('[all]\ndetectors = { blocked = "off" }\n', "detectors names new_device, "),
        ('[all]\nforbidden_protocols = ["unknown"]\n', "forbidden_protocols holds names of"),
        ('[all.respond]\naction = "none"\n', "respond is a list of tables"),
        ('[[all.respond]]\nkind = "beacon"\n', "respond needs an action: one of none, quar"),
        ('[[all.respond]]\naction = "kill"\n', "respond action is one of none, quarantine"),
        ('[[all.respond]]\naction = "none"\nsevere = 1\n', "respond has the keys kind, severity"),
        ('[[all.respond]]\naction = "none"\nkind = 3\n', "respond kind is one of new_device"),
        ('[[all.respond]]\naction = "none"\nduration = "9"\nseverity = "x"\n', "severity is one"),
        ("[device.camera]\n", "[device.camera]: 'camera' is not a MAC address"),
        ('[device."01:00:5e:00:00:01"]\n', "broadcast, multicast or null MAC"),
        ('[device."00005e005321"]\n[device."00:00:5e:00:53:21"]\n', "has two sections"),
        ("[segment.iot]\n", "[segment.iot] needs networks"),
        (
            '[segment.iot]\nnetworks = ["192.168.1.1/24"]\n',
            "networks holds prefixes: 192.168.1.1/24",
        ),
        ("[segment.iot]\nnetworks = []\n", "networks names one prefix at least"),
        (
            '[segment.iot]\nnetworks = ["10.0.0.0/8"]\nmay_reach = ["man"]\n',
            "file (iot) or prefixes",
        ),
        ('[all]\nmay_reach = ["main"]\n', "[all] may_reach names segments of this file (none)"),
        ("[all\n", "policy.toml is no TOML: "),
        ("a = " + "[" * 5000 + "\n", "policy.toml is no TOML: "),
    ],
)
def test_a_mistake_is_named_with_what_could_stand_there(text: str, said: str) -> None:
    assert said in refusal(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("[al]\n", "all"),
        ("[all]\nsensitivty = 1\n", "sensitivity"),
        ('[all]\nsensitivity = "hihg"\n', "high"),
        ('[all]\nforbidden_protocols = ["telnett"]\n', "telnet"),
        ('[all]\ndetectors = { beacn = "off" }\n', "beacon"),
        ('[[all.respond]]\naction = "quarantene"\n', "quarantine"),
        ('[[all.respond]]\nacton = "none"\n', "action"),
        (
            '[segment.main]\nnetworks = ["10.0.0.0/8"]\n[all]\nmay_reach = ["mian"]\n',
            "main",
        ),
    ],
)
def test_a_word_that_is_nearly_right_is_named(text: str, meant: str) -> None:
    assert f"; did you mean {meant}?" in refusal(text)


def test_the_log_says_when_a_bad_file_is_good_again_and_when_it_holds_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    found = policy(tmp_path, "[all]\nlocal = true\n")
    assert not caplog.messages
    policy(tmp_path, "[all]\nlocal = 1\n")
    found.follow()
    assert "until that is mended what it said before holds" in caplog.messages[-1]
    policy(tmp_path, "[all]\nlocal = true\n")
    found.follow()
    assert "can be read again, and holds" in caplog.messages[-1]
    policy(tmp_path, "# nothing yet\n")
    found.follow()
    assert "holds nothing: the defaults apply" in caplog.messages[-1]


def test_a_file_that_is_bad_from_the_beginning_leaves_the_defaults(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    policy(tmp_path, "[all\n")
    assert "the defaults apply" in caplog.messages[-1]


def test_the_labels_that_devices_have(tmp_path: Path) -> None:
    text = f'[label.unused]\nlocal = true\n[device."{TV}"]\nlabels = ["iot"]\n'
    found = policy(tmp_path, text, hints={TV: Hint(None, ("kids", "iot"))})
    assert found.given_labels == ("iot", "kids")


def test_too_much_is_refused() -> None:
    many = "".join(f"[label.a{number}]\n" for number in range(1025))
    assert "at most 1024 sections" in refusal(many)
    listed = ",".join(f'"l{number}"' for number in range(65))
    assert "at most 64 labels" in refusal(f'[device."{TV}"]\nlabels = [{listed}]\n')


def test_a_changed_file_is_followed_and_a_bad_one_leaves_the_last_good_one(tmp_path: Path) -> None:
    found = policy(tmp_path, "[all]\nlocal = true\n")
    assert not found.follow()
    assert found.device(TV).local is True
    policy(tmp_path, "[all]\nlocal = maybe\n")
    assert not found.follow()
    assert found.problem is not None
    assert "is no TOML" in found.problem
    assert found.device(TV).local is True
    assert found.raw == {"all": {"local": True}}
    policy(tmp_path, "[all]\nlocal = false\n")
    assert found.follow()
    assert (found.problem, found.device(TV).local) == (None, False)
    found.path.unlink()
    assert found.follow()
    assert (found.device(TV).local, found.exists) == (None, False)


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_could_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("[all]\nlocal = true\n")
    path.chmod(mode)
    found = PolicyFile(path)
    assert found.problem is not None
    assert "could change" in found.problem
    assert found.device(TV).local is None
    path.chmod(0o644)
    assert found.follow()
    assert found.device(TV).local is True


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_stranger_s_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("")
    os.chown(path, 65534, 65534)
    with pytest.raises(SensorError) as error:
        content(path)
    assert error.value.code == "unsafe_files"


def test_what_is_no_file_or_too_long_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(SensorError):
            content(path)
    long = tmp_path / "long.toml"
    long.write_bytes(b"#" * (policy_files.MAX_BYTES + 1))
    with pytest.raises(SensorError, match="longer than 64 kB"):
        content(long)
    long.write_bytes(b"#" * policy_files.MAX_BYTES)
    assert len(content(long)) == policy_files.MAX_BYTES


def test_a_million_devices_fill_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_files, "_REMEMBERED", 32)
    found = policy(tmp_path, WHOLE)
    for number in range(200):
        found.device(f"02:00:00:00:00:{number:02x}")
        found.segment(number.to_bytes(16, "big"))
    assert len(found._devices) <= 32
    assert len(found._places) <= 32


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["on", "DE", "23:00-06:00", "10m", "192.168.1.0/24", "beacon", TV]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=6)
            | st.sampled_from([*KEYS, *KEYS["device"], *KEYS["segment"], "action", TV]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(document=st.dictionaries(st.sampled_from([*KEYS, "x"]), VALUES, max_size=4))
@settings(suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
def test_any_document_is_a_policy_or_an_error(document: dict[str, Any]) -> None:
    with contextlib.suppress(SensorError):
        read(document)


@settings(max_examples=200)
@given(
    lines=st.lists(
        st.text(max_size=20)
        | st.sampled_from(["[all]", "[label.a]", "local = true", "[[all.respond]]", "[segment.a]"])
        | st.builds("{} = {}".format, st.sampled_from(list(KEYS["device"])), st.text(max_size=12)),
        max_size=6,
    )
)
def test_any_text_is_a_policy_or_an_error(lines: list[str]) -> None:
    with contextlib.suppress(SensorError):
        read(parsed("\n".join(lines).encode(errors="surrogatepass"), "policy.toml"))


@pytest.mark.parametrize(
    "text",
    [
        b"a." * 30_000 + b"b = 1",
        b"[" + b"'a' . " * 9_000 + b"b]",
        b'x = {\n"a\\"b" . ' + b'"\\"".' * 9_000 + b"b = 1}",
    ],
)
def test_a_name_without_end_is_refused_before_it_is_read(text: bytes) -> None:
    began = time.process_time()
    with pytest.raises(SensorError, match="name of more than 16 parts"):
        parsed(text, "policy.toml")
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "text",
    [
        b'"' * 64_000,
        b'"\\' * 32_000,
        b"a" * 64_000,
        b"a" + b" " * 64_000,
        b"[" + b".".join([b"a"] * 15) + b"]\n" + (b"a." * 15 + b"\n") * 2_000,
        b"\n".join(b".".join([b"a"] * 15 + [b"k%d = 1" % each]) for each in range(1_700)),
    ],
)
def test_nothing_that_may_be_in_a_policy_takes_long_to_read(text: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(SensorError):
        parsed(text, "policy.toml")
    assert time.process_time() - began < 1.0
