"""What `replay` says of a capture, and of what is none."""

import fcntl
import json
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import IO, Any

import pytest

from hearthwall_sensor import cli
from hearthwall_sensor.capture import told
from hearthwall_sensor.capture.replay import replay
from hearthwall_sensor.errors import SensorError
from hearthwall_sensor.protocol import Replayed
from tests.gateway.sensor_process import command
from tests.unit.captures import PcapNg, address, cooked, ethernet, ip, mac, pcap, tcp, udp

CAMERA, TV, ROUTER = (f"00:00:5e:00:53:{each}" for each in ("21", "22", "01"))
IP, IP2, GATEWAY, PEER = "192.168.1.21", "192.168.1.22", "192.168.1.1", "203.0.113.9"
BEGIN = 1_700_000_000 * 10**9
QUESTION = b"\5cloud\7example\0\0\1\0\1"


def dns(name: bytes = QUESTION, answer: str | None = None) -> bytes:
    """Return a question, or the answer to it."""
    counts = (0x0100, 1, 0, 0, 0) if answer is None else (0x8180, 1, 1, 0, 0)
    message = struct.pack(">HHHHHH", 7, *counts) + name
    if answer is not None:
        message += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + address(answer)
    return message


def home() -> list[tuple[int, bytes]]:
    """Return frames of a camera that asks for a name and connects, and of its router."""
    arp = bytes.fromhex("0001080006040001") + mac(ROUTER) + address(GATEWAY) + bytes(10)
    there, back = (IP, 40000, PEER, 443), (PEER, 443, IP, 40000)
    frames = [
        b"\xff" * 6 + mac(ROUTER) + b"\x08\x06" + arp,
        ethernet(CAMERA, ROUTER, udp(IP, 5000, GATEWAY, 53, dns())),
        ethernet(ROUTER, CAMERA, udp(GATEWAY, 53, IP, 5000, dns(answer=PEER))),
        ethernet(CAMERA, ROUTER, tcp(there, 0x02, 99)),
        ethernet(ROUTER, CAMERA, tcp(back, 0x12, 999)),
        ethernet(CAMERA, ROUTER, tcp(there, 0x18, 100, b"\0\1\2" * 9)),
        ethernet(CAMERA, TV, udp(IP, 6000, IP2, 7000, b"hi")),
        ethernet(ROUTER, CAMERA, tcp(back, 0x14, 1000)),
    ]
    return [(BEGIN + i * 10**9, frame) for i, frame in enumerate(frames)]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    file = tmp_path / "home.pcap"
    file.write_bytes(pcap(home()))
    return file


def test_a_capture_of_a_home(capture: Path) -> None:
    found = replay(str(capture))
    by_peer = {(each.mac, each.peer_address): each for each in found.flows}
    assert by_peer.keys() == {(CAMERA, GATEWAY), (CAMERA, PEER), (CAMERA, IP2), (TV, IP)}
    cloud, server = by_peer[CAMERA, PEER], by_peer[CAMERA, GATEWAY]
    assert (cloud.peer_name, cloud.name_source) == ("cloud.example", "dns")
    assert (cloud.outcome, cloud.scope, cloud.opened_by) == ("reset", "internet", "device")
    assert (cloud.first_seen, cloud.last_seen) == (1_700_000_003.0, 1_700_000_007.0)
    assert (server.application, server.scope) == ("dns", "gateway")
    assert by_peer[CAMERA, IP2].scope == "lan"
    assert [(each.mac, each.name, each.address, each.source) for each in found.names] == [
        (CAMERA, "cloud.example", PEER, "dns")
    ]
    assert (found.counted["packets"], found.counted["flows"]) == (8, 4)
    assert found.counted["bytes"] == sum(len(frame) for _, frame in home())


def test_devices_have_their_totals_and_a_router_is_none(capture: Path) -> None:
    camera, tv = replay(str(capture)).devices
    assert (camera.mac, camera.addresses, tv.mac, tv.addresses) == (CAMERA, (IP,), TV, (IP2,))
    frames = [frame for _, frame in home()]
    sent = [frame for frame in frames if frame[6:12] == mac(CAMERA)]
    received = [frame for frame in frames if frame[:6] == mac(CAMERA)]
    assert (camera.upload_packets, camera.download_packets) == (len(sent), len(received))
    assert camera.upload_bytes == sum(map(len, sent))
    assert camera.download_bytes == sum(map(len, received))
    assert camera.by_scope["gateway"].upload_packets == 1
    assert camera.by_scope["lan"].upload_packets == 1
    assert (camera.first_seen, camera.last_seen) == (1_700_000_001.0, 1_700_000_007.0)


def test_a_router_is_a_device_where_there_is_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a.pcap"
    frame = ethernet(ROUTER, "01:00:5e:00:00:01", udp(PEER, 1, "224.0.0.1", 2))
    file.write_bytes(pcap([(BEGIN, frame)]))
    assert [each.mac for each in replay(str(file)).devices] == [ROUTER]


def test_raw_ip_has_no_macs(tmp_path: Path) -> None:
    file = tmp_path / "a.pcap"
    packets = [udp(IP, 5000, GATEWAY, 53, dns()), udp(GATEWAY, 53, IP, 5000, dns(answer=PEER))]
    packets.append(tcp((IP, 40000, PEER, 443), 0x02, 99))
    file.write_bytes(pcap([(BEGIN, each) for each in packets], link_type=101))
    found = replay(str(file))
    assert {each.mac for each in found.flows} == {None}
    assert {each.peer_address: each.peer_name for each in found.flows}[PEER] == "cloud.example"
    assert [each.addresses for each in found.devices] == [(GATEWAY,), (IP,)]
    assert found.names[0].mac is None


def test_interfaces_of_a_pcapng_are_one_home(tmp_path: Path) -> None:
    file, content = tmp_path / "a.pcapng", PcapNg(">")
    content.interface(1)
    content.interface(276)
    content.enhanced(BEGIN // 1000, ethernet(CAMERA, ROUTER, udp(IP, 1, PEER, 2)), 0)
    content.enhanced(BEGIN // 1000, cooked(ROUTER, udp(PEER, 2, IP, 1), 4, 2), 1)
    content.enhanced(BEGIN // 1000, cooked(CAMERA, udp(IP, 1, PEER, 2), 0, 2), 1)
    file.write_bytes(bytes(content))
    (flow,) = replay(str(file)).flows
    assert (flow.mac, flow.upload_packets, flow.download_packets) == (CAMERA, 2, 1)


def test_the_same_capture_gives_the_same_answer_to_the_byte(capture: Path) -> None:
    first, second = (json.dumps(replay(str(capture)).to_wire()) for _ in range(2))
    assert first == second
    assert Replayed.from_wire(json.loads(first)) == replay(str(capture))


def test_only_the_largest_flows_are_told_of_if_asked(capture: Path) -> None:
    found = replay(str(capture), limit=2)
    assert [each.peer_address for each in found.flows] == [GATEWAY, PEER]
    assert (found.counted["flows"], found.counted["flows_not_listed"]) == (4, 2)


def test_of_invented_devices_only_as_many_as_a_home_may_have_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "MAX_ACCOUNTS", 2)
    macs = [f"02:77:00:00:00:{each:02x}" for each in range(4)]
    frames = [
        ethernet(each, ROUTER, udp(f"192.168.1.{30 + i}", 5000, PEER, 7000, b"x" * size))
        for i, (each, size) in enumerate(zip(macs, (10, 400, 20, 300), strict=True))
    ]
    file = tmp_path / "many.pcap"
    file.write_bytes(pcap([(BEGIN + i * 10**9, frame) for i, frame in enumerate(frames)]))
    found = replay(str(file))
    assert [each.mac for each in found.devices] == [macs[1], macs[3]]
    assert found.counted["devices_not_listed"] == 2


def test_a_damaged_capture_gives_what_came_before_and_says_where_it_stopped(capture: Path) -> None:
    content = capture.read_bytes()
    capture.write_bytes(content[:-5])
    told: list[str] = []
    found = replay(str(capture), tell=told.append)
    assert (found.counted["packets"], found.counted["damaged"]) == (7, 1)
    assert told == [
        f"{capture} is damaged, and what follows is left out: byte {len(content) - 54}:"
        " the file ends within a packet"
    ]


def test_names_are_given_as_time_passes_not_at_the_end(tmp_path: Path) -> None:
    """A busy address is told of under many names: a flow keeps the one of its time."""
    frames, time = [], BEGIN
    for number in range(12):
        name = b"\3n" + b"%02d" % number + b"\7example\0\0\1\0\1"
        answer = udp(GATEWAY, 53, IP, 5000, dns(name, PEER))
        frames.append((time, ethernet(ROUTER, CAMERA, answer)))
        connect = tcp((IP, 40000 + number, PEER, 443), 0x02, 99)
        frames.append((time + 10**9, ethernet(CAMERA, ROUTER, connect)))
        time += 10 * 10**9
    file = tmp_path / "a.pcap"
    file.write_bytes(pcap(frames))
    names = {each.port: each.peer_name for each in replay(str(file)).flows if each.peer_port == 443}
    assert names == {40000 + number: f"n{number:02d}.example" for number in range(12)}


# The command


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main(["replay", *arguments])
    return status, *capsys.readouterr()


def test_the_command_shows_people_what_there_is(
    capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, str(capture))
    assert (status, err) == (0, "")
    assert "8 packets" in out
    for word in (
        CAMERA,
        IP2,
        "cloud.example:443",
        "reset",
        "1 frame that is no IP",
        "Home: 192.168.1.0/24.",
    ):
        assert word in out


def test_the_command_prints_one_document(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(
        capsys, str(capture), "--json", "--lan", "192.168.1.0/24", "--lan", "fd00::/8"
    )
    wire: dict[str, Any] = json.loads(out)
    assert status == 0
    assert wire.keys() == {"devices", "flows", "events", "names", "counted", "home"}
    assert len(wire["flows"]) == 4


def test_damage_is_told_beside_the_document(
    capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture.write_bytes(capture.read_bytes()[:-5])
    status, out, err = run(capsys, str(capture), "--json")
    assert (status, json.loads(out)["counted"]["damaged"]) == (0, 1)
    assert "byte" in err


def test_standard_input_will_do(
    capture: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with capture.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        status, out, _ = run(capsys, "-", "--json")
    assert (status, len(json.loads(out)["flows"])) == (0, 4)


def test_a_device_does_not_write_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = b"\x07\x1b[2Jabc\7example\0\0\1\0\1"
    file = tmp_path / "a.pcap"
    file.write_bytes(
        pcap([(BEGIN, ethernet(CAMERA, ROUTER, udp(IP, 5000, GATEWAY, 53, dns(evil))))])
    )
    _, out, _ = run(capsys, str(file))
    assert "\x1b" not in out
    assert CAMERA in out


@pytest.mark.parametrize(
    ("content", "arguments", "code", "hint"),
    [
        (None, (), "not_found", "there is no file"),
        (b"", (), "invalid_message", "empty"),
        (b"hello world", (), "invalid_message", "tcpdump -w"),
        (pcap([]), ("--lan", "192.168.1.0/99"), "invalid_message", "192.168.1.0/24"),
        (pcap([]), ("--limit", "0"), "invalid_message", "--limit"),
    ],
)
def test_errors_say_what_to_do(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes | None,
    arguments: tuple[str, ...],
    code: str,
    hint: str,
) -> None:
    file = tmp_path / "a.pcap"
    if content is not None:
        file.write_bytes(content)
    status, out, _ = run(capsys, str(file), "--json", *arguments)
    error = json.loads(out)["error"]
    assert (status, error["code"]) == (1, code)
    assert hint in error["message"]


def test_a_folder_is_no_capture(tmp_path: Path) -> None:
    with pytest.raises(SensorError, match="can't be opened"):
        replay(str(tmp_path))


def test_what_may_not_be_read_is_told(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(SensorError, match="chmod") as raised:
        replay(str(capture))
    assert raised.value.code == "not_permitted"


def test_an_empty_capture_has_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.pcap"
    file.write_bytes(pcap([]))
    _, out, _ = run(capsys, str(file))
    assert out == "0 packets, 0 B, 0 flows, 0 events.\n"


def test_later_fragments_count_though_they_say_nothing(tmp_path: Path) -> None:
    piece = bytearray(ip(IP, PEER, 17, bytes(100)))
    piece[6:8] = b"\x00\x08"
    file = tmp_path / "a.pcap"
    file.write_bytes(pcap([(BEGIN, ethernet(CAMERA, ROUTER, bytes(piece)))]))
    (flow,) = replay(str(file)).flows
    assert (flow.port, flow.peer_port, flow.transport, flow.upload_bytes) == (0, 0, "udp", 134)


def unread(pipe: IO[bytes]) -> int:
    """Return how many bytes of a pipe nobody has read yet."""
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0])


def test_a_pipe_that_is_interrupted_gives_what_came_through_it(capture: Path) -> None:
    line = command("replay", "-", "--json")
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(capture.read_bytes()[:-3])
        process.stdin.flush()
        while unread(process.stdin):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)  # a terminal tells both ends of a pipe
        process.stdin.close()
        found = json.loads(process.stdout.read())
        assert process.wait(10) == 0
    assert found["counted"]["packets"] == len(home()) - 1


def test_a_capture_of_all_interfaces_says_that_it_counts_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = cooked("00:00:5e:00:53:21", udp("192.168.1.2", 5000, "203.0.113.7", 9))
    path = tmp_path / "any.pcap"
    path.write_bytes(pcap([(0, frame)], link_type=113))
    status, _, told = run(capsys, str(path))
    assert status == 0
    assert "counts twice" in told
