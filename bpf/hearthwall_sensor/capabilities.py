"""The `check` command: what this host can do, what is missing, what is lost by it and how to get it."""

import importlib
import importlib.metadata
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from . import __version__
from .identity import vendors
from .kernel import cache, cgroups, hooks, libbpf, loader, ownership, pins, process_programs, units
from .names import registered
from .processes import attribution
from .protocol import SensorError


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that the sensor needs or uses."""

    name: str
    required: bool
    probe: Callable[[], str | None]
    """Returns what was found, or None if the part is missing; raises SensorError or OSError to say why."""
    lost: str
    fix: str
    by_root: bool = True
    """Whether only root can find out."""


def _module(name: str) -> Callable[[], str | None]:
    """Return a probe for a Python module."""

    def probe() -> str | None:
        try:
            module = importlib.import_module(name)
        except ImportError:
            return None
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return str(getattr(module, "__version__", "present"))

    return probe


def _root() -> str | None:
    """Find whether this is root; raises SensorError with whom it is instead."""
    if os.geteuid() != 0:
        raise SensorError("not_permitted", f"this is the user {os.geteuid()}")
    return "yes"


def _boot_clock() -> str | None:
    """Ask for the clock that rules expire by."""
    found = libbpf.probe_helper(libbpf.PROG_TYPE_XDP, libbpf.HELPER_KTIME_GET_BOOT_NS)
    return platform.release() if found else None


def _bpffs() -> str | None:
    """Find bpffs, which `run` mounts if it is not mounted and can be."""
    if pins.is_bpffs(pins.BPFFS):
        return f"mounted at {pins.BPFFS}"
    return "not mounted yet, run does it" if pins.is_possible() else None


def _cgroup_hooks() -> str | None:
    """Find the program types and the highest cgroup of the second version."""
    kinds = {hook.kind for hook in process_programs.CGROUP_HOOKS.values()}
    if not all(map(libbpf.probe_program_type, kinds)):
        return None
    top = cgroups.root()
    if top is None:
        raise SensorError("missing_capability", "cgroups of the second version are not mounted")
    return f"on {top}"


def _tracepoints() -> str | None:
    """Find tracefs, which `run` mounts if it is not mounted, and the tracepoints of processes."""
    if not libbpf.probe_program_type(process_programs.PROG_TYPE_TRACEPOINT):
        return None
    folder = next((each for each in process_programs.TRACEFS if (each / "events").is_dir()), None)
    if folder is None:
        there = process_programs.TRACEFS[0].is_dir()
        return "tracefs is not mounted yet, run does it" if there else None
    lacks = [
        f"{each.category}:{each.event}"
        for each in process_programs.LIFE_TRACEPOINTS.values()
        if each.folder is None
    ]
    if lacks:
        raise SensorError("missing_capability", f"the kernel has no {', '.join(lacks)}")
    return f"in {folder}"


def _system_calls() -> str | None:
    """Find the tracepoints on system calls."""
    folder = next((each for each in process_programs.TRACEFS if (each / "events").is_dir()), None)
    if folder is None:
        return "not known before tracefs is mounted, which run does"
    return "yes" if (folder / "events" / "syscalls").is_dir() else None


def _programs() -> str | None:
    """Load the very programs that run would load, compiled before or now, and let them go again."""
    done = loader.load(None)
    if "processes" in done:
        return f"but those on processes: {done['processes']}"
    if done["from_cache"]:
        return f"loaded in {done['load_ms']} ms, compiled before"
    return f"compiled in {done['compile_ms']} ms and loaded in {done['load_ms']} ms, without kernel headers"


def _bcc() -> str | None:
    """Find bcc and its version; without it what was compiled before, or elsewhere, has to do."""
    version = _module("bcc")()
    if version is not None:
        return f"bcc {version}"
    there = any(cache.found(units.NETWORK, []))
    return "missing, but the programs are there compiled" if there else None


PARTS: Final = (
    Part(
        "root",
        True,
        _root,
        "only root may load programs into the kernel",
        "run the command with sudo",
        by_root=False,
    ),
    Part(
        "bcc",
        True,
        _bcc,
        "the kernel programs can't be compiled",
        "apt-get install python3-bpfcc",
        by_root=False,
    ),
    Part(
        "libbpf",
        True,
        lambda: f"libbpf {libbpf.version()}" if libbpf.version() else None,
        "nothing can be loaded or read",
        "apt-get install libbpf1",
        by_root=False,
    ),
    Part(
        "aiohttp",
        True,
        _module("aiohttp"),
        "no client can talk to the sensor",
        "apt-get install python3-aiohttp",
        by_root=False,
    ),
    Part(
        "pyroute2",
        True,
        _module("pyroute2"),
        "interfaces and neighbours can't be read",
        "apt-get install python3-pyroute2",
        by_root=False,
    ),
    Part(
        "dnslib",
        True,
        _module("dnslib"),
        "what names resolve to can't be learnt",
        "apt-get install python3-dnslib",
        by_root=False,
    ),
    Part(
        "cryptography",
        False,
        _module("cryptography"),
        "peers have no names from QUIC, and no certificate can be made for `run --listen`",
        "apt-get install python3-cryptography",
        by_root=False,
    ),
    Part(
        "prometheus_client",
        False,
        _module("prometheus_client"),
        "no metrics are told at /metrics and by `metrics`",
        "apt-get install python3-prometheus-client",
        by_root=False,
    ),
    Part(
        "paho-mqtt",
        False,
        _module("paho.mqtt"),
        "no events go to a broker ([[sink]] of the type mqtt)",
        "apt-get install python3-paho-mqtt",
        by_root=False,
    ),
    Part(
        "aiosmtplib",
        False,
        _module("aiosmtplib"),
        "no mail is sent ([[sink]] of the type smtp)",
        "apt-get install python3-aiosmtplib",
        by_root=False,
    ),
    Part(
        "zeroconf",
        False,
        _module("zeroconf"),
        "a sensor that listens for other hosts is not found by Home Assistant by itself",
        "apt-get install python3-zeroconf",
        by_root=False,
    ),
    Part(
        "maxminddb",
        False,
        _module("maxminddb"),
        "no peer's country or network is told (run --geo)",
        "apt-get install python3-maxminddb",
        by_root=False,
    ),
    Part(
        "publicsuffix",
        False,
        lambda: registered.LIST if Path(registered.LIST).is_file() else None,
        "who owns a domain is guessed by its last labels",
        "apt-get install publicsuffix",
        by_root=False,
    ),
    Part(
        "tomlkit",
        False,
        _module("tomlkit"),
        "the policy is changed by hand only",
        "apt-get install python3-tomlkit",
        by_root=False,
    ),
    Part(
        "vendors",
        False,
        lambda: str(vendors.FOLDER) if (vendors.FOLDER / "oui.txt").is_file() else None,
        "no device's vendor is told",
        "apt-get install ieee-data",
        by_root=False,
    ),
    Part(
        "xdp",
        False,
        lambda: (
            f"by {hooks.probe_xdp()}" if libbpf.probe_program_type(libbpf.PROG_TYPE_XDP) else None
        ),
        "what is forbidden is dropped later, in tc, at a higher cost per packet",
        "use a kernel with CONFIG_XDP_SOCKETS or CONFIG_BPF_SYSCALL",
    ),
    Part(
        "tc",
        True,
        lambda: hooks.probe_tc() if libbpf.probe_program_type(libbpf.PROG_TYPE_SCHED_CLS) else None,
        "no device's traffic can be counted",
        "use a kernel with CONFIG_NET_CLS_BPF and CONFIG_NET_SCH_INGRESS, or Linux 6.6 and later",
    ),
    Part(
        "boot clock",
        True,
        _boot_clock,
        "rules could not end on time",
        "use Linux 5.8 or later",
    ),
    Part(
        "bpffs",
        False,
        _bpffs,
        pins.LOST,
        f"{pins.MOUNT}; in a container, mount that folder of the host into it",
    ),
    Part(
        "per-CPU LRU table",
        True,
        lambda: "yes" if libbpf.probe_map_type(libbpf.MAP_TYPE_LRU_PERCPU_HASH) else None,
        "no device's traffic can be counted",
        "use Linux 5.8 or later",
    ),
    Part(
        "prefix table",
        True,
        lambda: "yes" if libbpf.probe_map_type(libbpf.MAP_TYPE_LPM_TRIE) else None,
        "the home's public addresses can't be told from the internet",
        "use Linux 5.8 or later",
    ),
    Part(
        "ring buffer",
        True,
        lambda: "yes" if libbpf.probe_map_type(libbpf.MAP_TYPE_RINGBUF) else None,
        "no packet's beginning and no process's connection can be told",
        "use Linux 5.8 or later",
    ),
    Part(
        "cgroup hooks",
        False,
        _cgroup_hooks,
        attribution.LOST["cgroup hooks"],
        "use a kernel with CONFIG_CGROUP_BPF; mount -t cgroup2 cgroup2 /sys/fs/cgroup",
    ),
    Part(
        "tracepoints",
        False,
        _tracepoints,
        attribution.LOST["tracepoints"],
        "use a kernel with CONFIG_TRACING; mount -t tracefs tracefs /sys/kernel/tracing",
    ),
    Part(
        "system calls",
        False,
        _system_calls,
        "`trace` and patterns of files, ptrace and raw sockets see nothing; command lines of processes"
        " that end at once are not known",
        "use a kernel with CONFIG_FTRACE_SYSCALLS",
    ),
    Part(
        "kernel programs",
        True,
        _programs,
        "the sensor can't run",
        "see the detail; report it together with this list",
    ),
)


_UNKNOWN: Final = "not known without root"


def _look(part: Part) -> dict[str, Any]:
    """Return what is told of one part."""
    if part.by_root and os.geteuid() != 0:
        unknown = {"name": part.name, "ok": False, "known": False, "required": part.required}
        return unknown | {"detail": _UNKNOWN, "lost": part.lost, "fix": "run the command with sudo"}
    try:
        found = part.probe()
        detail = found or "missing"
    except (SensorError, OSError) as error:
        found, detail = None, str(error)
    told: dict[str, Any] = {
        "name": part.name,
        "ok": found is not None,
        "known": True,
        "required": part.required,
        "detail": detail,
    }
    return told if found is not None else told | {"lost": part.lost, "fix": part.fix}


def _interfaces() -> list[dict[str, Any]]:
    """Return the host's Ethernet interfaces, the one that leads to the home marked as proposed."""
    try:
        from .network import foreign, netdev, topology
    except ImportError:
        return []
    own = ownership.all_programs() if os.geteuid() == 0 else ()
    seen = topology.read()
    native = netdev.native_xdp(seen.interfaces)
    best = topology.proposed(seen)
    names = {each.index: each.name for each in seen.interfaces.values()}
    modes = {True: "native", False: "generic", None: "unknown"}
    return [
        {
            "name": each.name,
            "kind": each.kind,
            "bridge": names.get(each.bridge or 0),
            "addresses": list(each.addresses),
            "default_route": each.default_route,
            "xdp": modes[native.get(each.index)],
            "foreign": list(foreign.foreign(each.index, own)),
            "proposed": each == best,
        }
        for each in seen.interfaces.values()
        if each.is_ethernet
    ]


def check() -> dict[str, Any]:
    """Return the report; `ok` says whether the sensor can run here."""
    parts = [_look(part) for part in PARTS]
    return {
        "ok": all(each["ok"] for each in parts if each["required"]),
        "version": __version__,
        "kernel": platform.release(),
        "machine": platform.machine(),
        "headers": "not needed",
        "parts": parts,
        "interfaces": _interfaces(),
    }
