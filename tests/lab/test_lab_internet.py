"""The lab's internet answers as the real one would."""

import json
import time

import pytest

from lab import SITES, Lab

pytestmark = pytest.mark.lab

#: Runs on a host, with the system's Python: a DNS client that shares no code with the lab.
ASK = """
import sys, dnslib
server, name, kind, tcp = sys.argv[1:]
query = dnslib.DNSRecord.question(name, kind)
answer = dnslib.DNSRecord.parse(query.send(server, 53, tcp=tcp == "tcp", timeout=3, ipv6=":" in server))
print(dnslib.RCODE[answer.header.rcode], *(record.rdata for record in answer.rr))
"""
MINE = """
import socket
with socket.create_connection(("203.0.113.33", 3333), 3) as pool:
    lines = pool.makefile("rw")
    print('{"id": 1, "method": "mining.subscribe", "params": []}', file=lines)
    print('{"id": 2, "method": "mining.authorize", "params": ["worker", "x"]}', file=lines, flush=True)
    for _ in range(4):
        print(lines.readline(), end="")
"""
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"


def curl(lab: Lab, host: str, *arguments: str) -> str:
    done = lab.run(host, ["curl", "-sS", "--fail", "--max-time", "20", *arguments])
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(
    lab: Lab, name: str, kind: str, server: str = "203.0.113.53", transport: str = "udp"
) -> str:
    argv = ["/usr/bin/python3", "-c", ASK, server, name, kind, transport]
    return lab.run("laptop", argv, check=True).stdout.strip()


@pytest.mark.parametrize("address", ["203.0.113.10", "[2001:db8:ffff::10]"])
def test_download_has_the_size_asked_for(lab: Lab, address: str) -> None:
    url = f"http://{address}/bytes/1234567"
    assert curl(lab, "tv", "-o", "/dev/null", "-w", "%{size_download}", url) == "1234567"


def test_upload_is_counted(lab: Lab) -> None:
    body = "x" * 100_000
    answer = curl(lab, "camera", "--data-binary", body, "http://203.0.113.10/upload")
    assert json.loads(answer) == {"bytes": 100_000}


def test_paced_download_keeps_its_pace(lab: Lab) -> None:
    begin = time.monotonic()
    url = "http://203.0.113.10/pace?rate=200000&seconds=2"
    size = curl(lab, "tv", "-o", "/dev/null", "-w", "%{size_download}", url)
    assert size == "400000"
    assert 1.7 < time.monotonic() - begin < 4


@pytest.mark.parametrize(
    "path", ["bytes/many", "bytes/-1", "bytes/99999999999", "pace?rate=x&seconds=1"]
)
def test_nonsense_is_a_bad_request(lab: Lab, path: str) -> None:
    argv = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://203.0.113.10/{path}"]
    assert lab.run("tv", argv).stdout == "400"


@pytest.mark.parametrize("name", ["web.lab.example", "storage.vendor.example", "video.example"])
def test_https_with_a_certificate_that_fits(lab: Lab, name: str) -> None:
    for address in (SITES[name].ipv4, f"[{SITES[name].ipv6}]"):
        text = curl(
            lab, "laptop", "--resolve", f"{name}:443:{address}",
            "--cacert", str(lab.run_directory.certificate), f"https://{name}/",
        )  # fmt: skip
        assert name in text


def test_certificate_is_not_trusted_by_default(lab: Lab) -> None:
    assert lab.run("laptop", ["curl", "-s", "https://203.0.113.10/"]).returncode == 60


def test_key_is_roots_alone(lab: Lab) -> None:
    assert lab.run_directory.key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("server", ["203.0.113.53", "2001:db8:ffff::53"])
def test_dns_answers_the_labs_names(lab: Lab, server: str, transport: str) -> None:
    assert ask(lab, "web.lab.example", "A", server, transport) == "NOERROR 203.0.113.10"
    assert ask(lab, "web.lab.example", "AAAA", server, transport) == "NOERROR 2001:db8:ffff::10"
    assert ask(lab, "nowhere.example", "A", server, transport) == "NXDOMAIN"


@pytest.mark.parametrize(
    ("name", "address"),
    [("pool.mining.example", "203.0.113.33"), ("bad.example", "203.0.113.66")],
)
def test_dns_knows_the_ill_reputed(lab: Lab, name: str, address: str) -> None:
    assert ask(lab, name, "A") == f"NOERROR {address}"


def test_mining_pool_gives_work(lab: Lab) -> None:
    out = lab.run("plug", ["/usr/bin/python3", "-c", MINE], check=True).stdout
    subscribed, authorized, difficulty, job = map(json.loads, out.splitlines())
    assert subscribed["id"] == 1
    assert subscribed["error"] is None
    assert authorized == {"id": 2, "result": True, "error": None}
    assert difficulty["method"] == "mining.set_difficulty"
    assert job["method"] == "mining.notify"


@pytest.mark.parametrize("port", ["80", "443"])
@pytest.mark.parametrize("address", ["203.0.113.66", "2001:db8:ffff::66"])
def test_known_bad_address_takes_connections(lab: Lab, address: str, port: str) -> None:
    lab.run("vacuum", ["/usr/bin/python3", "-c", CONNECT, address, port], check=True)
    refused = lab.run("vacuum", ["/usr/bin/python3", "-c", CONNECT, address, "81"])
    assert "ConnectionRefusedError" in refused.stderr
