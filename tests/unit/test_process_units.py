"""Units and containers by the text of /proc/PID/cgroup, in the shapes that hosts really have."""

import pytest
from hypothesis import given, strategies

from hearthwall_sensor.processes.units import membership

ID = "4f1b9a6b7e0c" + "0123456789abcdef" * 3 + "0123"
SHORT = "4f1b9a6b7e0c"
POD = "kubepods-besteffort-pod0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0.slice"

SHAPES = [
    # systemd
    ("0::/system.slice/ssh.service", "ssh.service", None),
    ("0::/init.scope", "init.scope", None),
    ("0::/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", None),
    ("0::/system.slice/foo.service/worker", "foo.service", None),
    ("0::/system.slice/foo.service/nested.service", "foo.service", None),
    ("0::/user.slice/user-1000.slice/session-3.scope", "session-3.scope", None),
    (
        "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-foo.service",
        "app-foo.service",
        None,
    ),
    ("0::/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope", None),
    ("0::/user.slice/user-1000.slice/user@1000.service", "user@1000.service", None),
    (r"0::/system.slice/home\x2dassistant.service", "home-assistant.service", None),
    ("0::/system.slice/dbus.socket", "dbus.socket", None),
    (r"0::/machine.slice/machine-qemu\x2d1\x2dhaos.scope", "machine-qemu-1-haos.scope", None),
    ("0::/system.slice/foo.service (deleted)", "foo.service", None),
    ("0::/../../system.slice/foo.service", "foo.service", None),
    # Docker, Podman
    (f"0::/system.slice/docker-{ID}.scope", None, SHORT),
    (f"0::/docker/{ID}", None, SHORT),
    (f"0::/docker/{ID}/init.scope", "init.scope", SHORT),
    (f"0::/docker/{ID}/system.slice/cron.service", "cron.service", SHORT),
    (f"0::/machine.slice/libpod-{ID}.scope", None, SHORT),
    (f"0::/machine.slice/libpod-{ID}.scope/container", None, SHORT),
    (
        f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container",
        None,
        SHORT,
    ),
    (f"0::/machine.slice/libpod-conmon-{ID}.scope", f"libpod-conmon-{ID}.scope"[:63] + "…", None),
    # containerd, CRI-O, Kubernetes
    (f"0::/kubepods.slice/kubepods-besteffort.slice/{POD}/cri-containerd-{ID}.scope", None, SHORT),
    (f"0::/kubepods.slice/{POD}/crio-{ID}.scope", None, SHORT),
    (f"0::/kubepods/besteffort/pod0f1e2d3c-4b5a/{ID}", None, SHORT),
    (f"0::/system.slice/containerd.service/{POD}:cri-containerd:{ID}", None, SHORT),
    (f"0::/docker/{'b' * 64}/kubelet/kubepods/{ID}", None, "b" * 12),
    # LXC, systemd-nspawn
    ("0::/lxc.payload.web", None, "web"),
    ("0::/lxc.payload.web/system.slice/nginx.service", "nginx.service", "web"),
    ("0::/lxc/101/ns/system.slice/cron.service", "cron.service", "101"),
    ("0::/lxc.payload/web/init.scope", "init.scope", "web"),
    ("0::/lxc.monitor.web", None, None),
    (
        r"0::/machine.slice/systemd-nspawn@de\x2dbian.service/payload/system.slice/cron.service",
        "cron.service",
        "de-bian",
    ),
    ("0::/machine.slice/systemd-nspawn@web.service/supervisor", "systemd-nspawn@web.service", None),
    # Home Assistant OS: the supervisor's and the apps' containers
    (f"0::/docker/{ID}\n", None, SHORT),
    (f"0::/system.slice/hassio-supervisor.service/docker/{ID}", None, SHORT),
    # cgroup v1, and both at once
    (
        f"12:pids:/docker/{ID}\n5:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/docker/{ID}\n0::/\n",
        None,
        SHORT,
    ),
    (
        "12:pids:/user.slice\n1:name=systemd:/system.slice/ssh.service\n0::/system.slice/ssh.service\n",
        "ssh.service",
        None,
    ),
    ("11:memory:/\n1:name=systemd:/system.slice/cron.service\n", "cron.service", None),
    ("4:memory:/system.slice/foo.service\n1:cpu:/\n", "foo.service", None),
    # Nothing
    ("0::/", None, None),
    ("", None, None),
    ("nonsense", None, None),
    ("0::/docker", None, None),
    ("0::/lxc", None, None),
]


@pytest.mark.parametrize(("text", "unit", "container"), SHAPES, ids=lambda each: str(each)[-40:])
def test_units_and_containers(text: str, unit: str | None, container: str | None) -> None:
    assert membership(text.encode()) == (unit, container)


def test_what_a_process_wrote_is_printable_and_short() -> None:
    unit, _ = membership(b"0::/user.slice/\x1b[2J\xff" + b"a" * 300 + b".service")
    assert unit is not None
    assert unit.startswith(r"\x1b[2J\xff")
    assert len(unit) <= 64
    escaped, _ = membership(rb"0::/system.slice/a\x1b\x41\xff.service")
    assert escaped == r"a\x5cx1bA\x5cxff.service"


@given(strategies.binary(max_size=5000))
def test_any_file_is_read(text: bytes) -> None:
    for each in (membership(text), membership(b"0::/" + text)):
        for name in each:
            assert name is None or (name.isprintable() and len(name) <= 64)
