"""What a lab's kernels and servers have to say when a packet did not arrive."""

from lab import Lab

_COMMANDS = {
    "camera": ("nstat -az | grep -E 'Udp|Icmp' | grep -v ' 0 '", "ip neigh"),
    "gateway": (
        "nstat -az | grep -E 'Udp|Icmp|Ip' | grep -v ' 0 '",
        "ip neigh; ip -s link show wan",
        "tc -s filter show dev camera ingress; tc -s filter show dev camera egress",
        "cat /proc/sys/net/netfilter/nf_conntrack_count; ss -uan",
    ),
    "internet": (
        "nstat -az | grep -E 'Udp|Icmp|Ip' | grep -v ' 0 '",
        "ip neigh; ip -br address; ip route; ss -uanp",
    ),
}


def postmortem(lab: Lab) -> str:
    """Return counters, neighbours, sockets and the servers' log, as text."""
    said = [f"problems: {lab.status().problems}"]
    for host, commands in _COMMANDS.items():
        for command in commands:
            done = lab.run(host, ["/bin/sh", "-c", command])
            said.append(f"-- {host}: {command}\n{done.stdout}{done.stderr}")
    said.append(f"-- log\n{lab.run_directory.log.read_text(errors='replace')[-4000:]}")
    return "\n".join(said)
