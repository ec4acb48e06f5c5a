"""Programs on the gateway's interfaces: all that can be seen of them, and some of somebody else."""

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from hearthwall_sensor.kernel.pins import Pins
from lab import Lab
from lab.home import DEVICES, WAN, WEB
from tests.gateway.sensor_process import SensorProcess

PORTS = (*DEVICES, WAN)

#: Attaches the smallest program there is, which passes everything, until standard input ends.
_FOREIGN = """
import ctypes, socket, struct, sys
how, index = sys.argv[1], socket.if_nametoindex(sys.argv[2])
lib = ctypes.CDLL("libbpf.so.1")
kind, verdict = (6, 2) if how.startswith("xdp") else (3, 0xffffffff)
code = struct.pack("<BBhIBBhi", 0xB7, 0, 0, verdict, 0x95, 0, 0, 0)
code = ctypes.create_string_buffer(code)
fd = lib.bpf_prog_load(kind, b"foreign", b"GPL", code, ctypes.c_size_t(2), None)
assert fd >= 0, fd
flags = {"xdp": 2, "xdp_native": 4}.get(how)
hook = (ctypes.c_uint32 * 6)(24, 0, index, 1)
options = (ctypes.c_uint32 * 8)(32, 0, fd, 0, 0, 1, 7)
if flags:
    assert lib.bpf_xdp_attach(index, fd, flags, None) == 0
elif how == "tc":
    lib.bpf_tc_hook_create(hook)
    assert lib.bpf_tc_attach(hook, options) == 0
else:
    link = lib.bpf_link_create(fd, index, 37 if how == "xdp_link" else 46, None)
    assert link >= 0, link
print("ON", flush=True)
sys.stdin.read()
if flags:
    lib.bpf_xdp_detach(index, flags, None)
elif how == "tc":
    options[2] = options[3] = options[4] = 0
    lib.bpf_tc_detach(hook, options)
"""


@contextlib.contextmanager
def foreign(lab: Lab, how: str, interface: str) -> Iterator[None]:
    """Have a program of somebody else on an interface: `xdp`, `xdp_native`, `xdp_link`, `tcx` or `tc`."""
    line = ["/usr/bin/python3", "-I", "-c", _FOREIGN, how, interface]
    with subprocess.Popen(
        lab.argv("gateway", line), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ON\n"
        yield
        process.communicate(timeout=10)


def attachments(lab: Lab) -> list[str]:
    """Everything that ip and tc show of programs on the gateway's ports."""
    links = lab.run("gateway", ["ip", "-d", "link", "show"]).stdout
    filters = [
        lab.run("gateway", ["tc", "filter", "show", "dev", port, way]).stdout
        for port in PORTS
        for way in ("ingress", "egress")
    ]
    return [str(links.count("prog/xdp")), *filters]


def qdiscs(lab: Lab) -> set[str]:
    """Return the gateway's interfaces with a clsact qdisc, which filters hang on."""
    shown = lab.run("gateway", ["tc", "qdisc", "show"]).stdout
    return set(re.findall(r"^qdisc clsact \S+ dev (\S+)", shown, re.MULTILINE))


def xdp_on(lab: Lab, interface: str) -> int:
    """Return the id of the XDP program on an interface of the gateway, 0 for none."""
    said = lab.run("gateway", ["ip", "-d", "link", "show", interface]).stdout
    found = re.search(r"prog/xdp id (\d+)", said)
    return int(found[1]) if found else 0


def pinned_links(sensor: SensorProcess) -> set[str]:
    """Return the places of the links that a sensor has pinned, such as `ingress`."""
    return {each.name.rsplit("-", 1)[1] for each in Pins(sensor.socket).links.glob("*")}


def pins(sensor: SensorProcess) -> set[Path]:
    """Return everything that a sensor has pinned."""
    return set(Pins(sensor.socket).path.glob("**/*"))


def reaches(lab: Lab, device: str = "camera") -> bool:
    """Return whether a device reaches the internet."""
    return lab.run(device, ["ping", "-c1", "-W1", WEB.ipv4]).returncode == 0
