"""What is recorded with real clients: by name, what happens and how it is made."""

import base64
import hashlib
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from lab import Lab
from lab.home import DEVICES, DNS, SEGMENTS, SITES, WEB
from tests.captures import files
from tests.captures.clients import curl, http3_get, http3_server, resolving, run, serving
from tests.captures.oddities import ODDITIES
from tests.captures.recorder import record

#: What is home in the lab: its internet has addresses set aside for documentation, which are no real one's.
NETWORKS = tuple(str(network) for each in SEGMENTS.values() for network in (each.ipv4, each.ipv6))
QUIC = SITES["quic.example"]


class Scenario(NamedTuple):
    """One capture: what is in it, how its file is called, and what writes it there."""

    about: str
    file: str
    make: Callable[[Lab, Path], None]


def _fetch(lab: Lab, path: Path) -> None:
    folder = path.parent
    curl(lab, "laptop", folder, "http://web.lab.example/bytes/20000", "http://video.example/")
    curl(lab, "laptop", folder, "-6", "http://news.example/", "--next", "http://shop.example/")
    curl(lab, "laptop", folder, "https://storage.vendor.example/bytes/90000")
    curl(lab, "laptop", folder, "-6", "https://metrics.vendor.example/", "--insecure")
    curl(lab, "laptop", folder, f"https://{WEB.ipv4}/", f"http://[{WEB.ipv6}]/", "--insecure")


def _web(lab: Lab, path: Path) -> None:
    with record(lab, path, "laptop"):
        _fetch(lab, path)


def _cooked(kind: str) -> Callable[[Lab, Path], None]:
    def make(lab: Lab, path: Path) -> None:
        with record(lab, path, "any", "laptop", ("-y", kind)):
            _fetch(lab, path)

    return make


def _dns(lab: Lab, path: Path) -> None:
    questions = [
        [f"@{DNS.ipv4}", "WEB.Lab.example", "A"],
        [f"@{DNS.ipv6}", "web.lab.example", "AAAA"],
        [f"@{DNS.ipv4}", "metrics.vendor.example", "A"],
        [f"@{DNS.ipv4}", "quic.example", "HTTPS"],
        [f"@{DNS.ipv4}", "nowhere.example", "A", "video.example", "MX", "shop.example", "ANY"],
        [f"@{DNS.ipv4}", "+tcp", "cloud.vendor.example", "AAAA"],
        [f"@{DNS.ipv6}", "+tcp", "+keepopen", "chat.example", "A", "push.example", "AAAA"],
        [f"@{DNS.ipv4}", "+tcp", "+keepopen", "quic.example", "HTTPS", "metrics.vendor.example"],
    ]
    with record(lab, path, "camera"):
        for question in questions:
            run(lab, "camera", ["dig", "+tries=1", "+time=3", "+short", *question])


def _http3(lab: Lab, path: Path) -> None:
    with (
        serving(lab, "internet", http3_server(lab, QUIC), "ready"),
        record(lab, path, "phone"),
    ):
        http3_get(
            *(lab, "phone", f"{QUIC.ipv4},quic.example,1,0", f"{QUIC.ipv6},long.quic.example,1,40"),
            *(f"{QUIC.ipv4},two.quic.example,2,0", f"{QUIC.ipv4},long.two.quic.example,2,60"),
        )


def _key_pin(lab: Lab) -> str:
    """Return the hash by which chromium is told to trust the lab's key."""
    line = ["openssl", "x509", "-in", str(lab.run_directory.certificate), "-pubkey", "-noout"]
    pem = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    key = base64.b64decode("".join(pem.splitlines()[1:-1]))
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def _browser(lab: Lab, path: Path) -> None:
    """Load a page by HTTP/3 with a picture by TLS; the browser's hello takes two packets."""
    line = [
        *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
        f"--user-data-dir={path.parent / 'chromium'}",
        f"--ignore-certificate-errors-spki-list={_key_pin(lab)}",
        f"--origin-to-force-quic-on={QUIC.names[0]}:443",
        "--dump-dom",
    ]
    with (
        serving(lab, "internet", http3_server(lab, QUIC), "ready"),
        record(lab, path, "tv"),
    ):
        shown = run(lab, "tv", resolving(path.parent, [*line, f"https://{QUIC.names[0]}/"]), 30)
        if "<title>HTTP/3</title>" not in shown:
            raise RuntimeError(f"the page did not come: {shown}")


def _mqtt(lab: Lab, path: Path) -> None:
    """Publish and subscribe from the same segment and from the other one, on a broker at home."""
    broker = DEVICES["laptop"]
    settings = path.parent / "mosquitto.conf"
    settings.write_text("listener 1883\nallow_anonymous true\nuser root\n")
    to = ["-h", broker.ipv4, "-t", "home/plug/power"]
    with (
        serving(lab, "laptop", ["mosquitto", "-v", "-c", str(settings)], "running"),
        record(lab, path, "laptop"),
        serving(lab, "tv", ["stdbuf", "-oL", "mosquitto_sub", "-d", "-V", "5", *to], "Subscribed"),
    ):
        for number in range(3):
            run(lab, "plug", ["mosquitto_pub", *to, "-q", "1", "-m", f"{number} W"])
        run(lab, "tv", ["mosquitto_pub", "-h", broker.ipv6, "-t", "home/tv", "-m", "on"])


def _rtsp(lab: Lab, path: Path) -> None:
    """Push a camera's picture over RTSP: as RTP datagrams, then within the connection."""
    quiet = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error"]
    source = ["-re", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10", "-t", "1"]
    encoded = ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "31"]
    with record(lab, path, "camera"):
        for port, transport in ((8554, "udp"), (8555, "tcp")):
            address = f"rtsp://{DEVICES['laptop'].ipv4}:{port}/live"
            listen = [*quiet, "-rtsp_flags", "listen", "-i", address, "-f", "null", "-"]
            with lab.popen("laptop", listen) as viewer:
                try:
                    _wait_for_port(lab, "laptop", port)
                    line = [*quiet, *source, *encoded, "-f", "rtsp", "-rtsp_transport", transport]
                    run(lab, "camera", [*line, address])
                finally:
                    viewer.terminate()
                    viewer.communicate(timeout=10)


def _wait_for_port(lab: Lab, host: str, port: int) -> None:
    """Wait until something listens."""
    deadline = time.monotonic() + 10
    while not lab.run(host, ["ss", "-Htln", f"sport = :{port}"]).stdout:
        if time.monotonic() > deadline:
            raise RuntimeError(f"nothing listens on {port}")
        time.sleep(0.02)


_AVAHI = """\
[server]
host-name={host}
enable-dbus=no
allow-interfaces=eth0
[publish]
publish-workstation=no
[wide-area]
enable-wide-area=no
"""


def _mdns(lab: Lab, path: Path) -> None:
    """Two devices announce themselves; a third asks for one."""
    with ExitStack() as stack:
        stack.enter_context(record(lab, path, "laptop"))
        for host in ("laptop", "tv"):
            settings = path.parent / f"avahi-{host}.conf"
            settings.write_text(_AVAHI.format(host=f"Living-{host}"))
            # Its pid file is the machine's: each has a /run of its own
            script = (
                'mount -t tmpfs none /run && exec avahi-daemon --no-drop-root --no-chroot -f "$0"'
            )
            line = ["unshare", "--mount", "sh", "-c", script, str(settings)]
            stack.enter_context(serving(lab, host, line, "Server startup complete"))
        ask = ["dig", "+short", "+noedns", "+tries=1", "+time=3", "-p", "5353"]
        for address, kind in ((DEVICES["tv"].ipv4, "A"), (DEVICES["tv"].ipv6, "AAAA")):
            run(lab, "laptop", [*ask, f"@{address}", "living-tv.local", kind])


def _odd(name: str) -> Callable[[Lab, Path], None]:
    return lambda _lab, path: files.write_frames(path, ODDITIES[name]())


def _changed(change: Callable[[Path, Path], None], source: str) -> Callable[[Lab, Path], None]:
    """Return what makes a capture from another one, recording that first if need be."""

    def make(lab: Lab, path: Path) -> None:
        original = path.parent / CAPTURES[source].file
        if not original.exists():
            write(lab, path.parent, source)
        change(original, path)

    return make


def _mixed(lab: Lab, path: Path) -> None:
    sources = [path.parent / CAPTURES[name].file for name in ("sll", "raw", "odd-tls")]
    for name, source in zip(("sll", "raw", "odd-tls"), sources, strict=True):
        if not source.exists():
            write(lab, path.parent, name)
    files.mixed(sources, path)


CAPTURES: dict[str, Scenario] = {
    "web": Scenario("curl over HTTP and TLS, IPv4 and IPv6, by name", "web.pcap", _web),
    "sll": Scenario("the same on Linux's cooked link", "sll.pcap", _cooked("LINUX_SLL")),
    "sll2": Scenario("the same on its second version", "sll2.pcap", _cooked("LINUX_SLL2")),
    "dns": Scenario("dig over UDP and TCP: aliases, HTTPS records, no answer", "dns.pcapng", _dns),
    "http3": Scenario("HTTP/3 in QUIC 1 and 2, long hellos", "http3.pcapng", _http3),
    "browser": Scenario("a browser loads a page over HTTP/3 and TLS", "browser.pcap", _browser),
    "mqtt": Scenario("mosquitto, between devices of the home", "mqtt.pcapng", _mqtt),
    "rtsp": Scenario("ffmpeg pushes RTSP, between devices of the home", "rtsp.pcap", _rtsp),
    "mdns": Scenario("avahi announces, dig asks", "mdns.pcap", _mdns),
    **{
        f"odd-{name}": Scenario(str(each.__doc__).rstrip("."), f"odd-{name}.pcap", _odd(name))
        for name, each in ODDITIES.items()
    },
    "raw": Scenario("web as IP without a link", "raw.pcap", _changed(files.raw, "web")),
    "null": Scenario("web as on a loopback", "null.pcap", _changed(files.null, "web")),
    "nanoseconds": Scenario(
        "odd-dns with finer times", "nanoseconds.pcap", _changed(files.nanoseconds, "odd-dns")
    ),
    "cut": Scenario("web, each packet cut off", "cut.pcap", _changed(files.cut, "web")),
    "mixed": Scenario("three links in one file", "mixed.pcapng", _mixed),
}


def write(lab: Lab, folder: Path, name: str) -> Path:
    """Write a capture into a folder and return its path."""
    scenario = CAPTURES[name]
    path = folder / scenario.file
    scenario.make(lab, path)
    return path
