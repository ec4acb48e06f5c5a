"""Compares a lab with what it should be."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lab import netns, tools
from lab.errors import LabError
from lab.home import BRIDGE, DEVICES, HOSTS, Host
from lab.rundir import RunDirectory


def _links(namespace: str) -> Mapping[str, Any]:
    """All links of a namespace by name, as `ip -json address` tells them."""
    return {
        link["ifname"]: link
        for link in json.loads(tools.call("ip", "-n", namespace, "-json", "address"))
    }


def _host_problems(host: Host, namespace: str) -> Iterator[str]:
    links = _links(namespace)
    for expected in host.links:
        link = links.get(expected.name)
        if link is None or "UP" not in link["flags"]:
            yield f"{host.name}: {expected.name} is missing or down"
            continue
        present = {f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]}
        for address in sorted({str(a) for a in expected.addresses} - present):
            yield f"{host.name}: {expected.name} lacks {address}"
    if host.name == "gateway":
        for port in DEVICES:
            link = links.get(port, {})
            if link.get("master") != BRIDGE or link.get("operstate") != "UP":
                yield f"gateway: port {port} is missing, down or not on {BRIDGE}"


def problems(namespaces: Mapping[str, str], run: RunDirectory) -> Iterator[str]:
    """Yield what is not as it should be; nothing at all for a healthy lab."""
    server = run.server()
    if server is None:
        yield "up has not finished"
    elif not server.alive:
        yield f"the internet's server (pid {server.pid}) is gone"
    for name, namespace in namespaces.items():
        if not netns.exists(namespace):
            yield f"{name}: the namespace {namespace} is missing"
            continue
        try:
            yield from _host_problems(HOSTS[name], namespace)
        except LabError as error:  # removed while we looked
            yield f"{name}: {error}"
