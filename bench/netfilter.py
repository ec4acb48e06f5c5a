"""The same rules in nftables and in ipset with iptables, in sets as their manuals recommend."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench import frames
from bench.network import Namespace
from bench.xdp_filter import RULES

#: Kind of set → its type in nftables, what is looked up in it, and the elements.
_SETS: Final = {
    "mac": ("ether_addr", "ether saddr", frames.mac),
    "ipv4": ("ipv4_addr", "ip saddr", frames.ipv4),
    "ipv4_network": ("ipv4_addr; flags interval", "ip saddr", frames.ipv4_network),
}


@contextmanager
def nft(host: Namespace, kind: str, hook: str) -> Iterator[None]:
    """Drop what is in a set of this kind; hook is `ingress device NAME` of a netdev, else of inet."""
    family = "netdev" if "device" in hook else "inet"
    element_type, key, target = _SETS[kind]
    elements = ", ".join(target(each) for each in range(RULES))
    host.run(
        "nft",
        "-f",
        "-",
        stdin=f"""
        table {family} bench {{
            set blocked {{ type {element_type}; elements = {{ {elements} }}; }}
            chain judge {{
                type filter hook {hook};
                {key} @blocked drop
            }}
        }}""",
    )
    try:
        yield
    finally:
        host.run("nft", "delete", "table", family, "bench")


@contextmanager
def ipset(host: Namespace, kind: str) -> Iterator[None]:
    """Drop what is in a set of this kind, in the raw table, before connections are tracked."""
    set_type = {"ipv4": "hash:ip", "ipv4_network": "hash:net"}[kind]
    _, _, target = _SETS[kind]
    lines = [f"create bench {set_type}", *(f"add bench {target(each)}" for each in range(RULES))]
    rule = ("PREROUTING", "-m", "set", "--match-set", "bench", "src", "-j", "DROP")
    host.run("ipset", "restore", stdin="\n".join(lines) + "\n")
    host.run("iptables", "-w", "-t", "raw", "-A", *rule)
    try:
        yield
    finally:
        host.run("iptables", "-w", "-t", "raw", "-D", *rule)
        host.run("ipset", "destroy", "bench")
