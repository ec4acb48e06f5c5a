"""libbpf through ctypes: maps, programs and links of the kernel, without LLVM in the process."""

import contextlib
import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from typing import Any, Final

from ..protocol import SensorError

PROG_TYPE_SCHED_CLS: Final = 3
PROG_TYPE_XDP: Final = 6
PROG_TYPE_CGROUP_SOCK_ADDR: Final = 18
PROG_TYPE_TRACEPOINT: Final = 5
MAP_TYPE_LPM_TRIE: Final = 11
MAP_TYPE_LRU_PERCPU_HASH: Final = 10
MAP_TYPE_RINGBUF: Final = 27
HELPER_KTIME_GET_BOOT_NS: Final = 125

ATTACH_XDP: Final = 37
ATTACH_TCX_INGRESS: Final = 46
ATTACH_TCX_EGRESS: Final = 47

XDP_FLAGS_SKB_MODE: Final = 1 << 1
XDP_FLAGS_DRV_MODE: Final = 1 << 2

TC_INGRESS: Final = 1 << 0
TC_EGRESS: Final = 1 << 1
TC_F_REPLACE: Final = 1 << 0

_BATCH_BYTES: Final = 1 << 20
#: The kernel's own ENOTSUPP, which is not among the errors of user space.
_ENOTSUPP: Final = 524

_lib: ctypes.CDLL | None
try:
    _lib = ctypes.CDLL("libbpf.so.1", use_errno=True)
    _lib.libbpf_set_print(None)  # its errors come back as numbers
except OSError:  # check says what is missing; everything else fails on first use
    _lib = None


class _LinkCreateOptions(ctypes.Structure):
    """`struct bpf_link_create_opts` up to what is used; libbpf reads no further than `size`."""

    _fields_ = (("size", ctypes.c_size_t), ("flags", ctypes.c_uint32), ("padding", ctypes.c_uint32))


class _XdpQueryOptions(ctypes.Structure):
    """`struct bpf_xdp_query_opts` as of libbpf 0.8."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("program_id", ctypes.c_uint32),
        ("driver_id", ctypes.c_uint32),
        ("hardware_id", ctypes.c_uint32),
        ("generic_id", ctypes.c_uint32),
        ("attach_mode", ctypes.c_uint8),
        ("padding", ctypes.c_uint8 * 7),
    )


class _TcHook(ctypes.Structure):
    """`struct bpf_tc_hook`."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("interface", ctypes.c_int),
        ("attach_point", ctypes.c_int),
        ("parent", ctypes.c_uint32),
        ("padding", ctypes.c_uint32),
    )


class _TcOptions(ctypes.Structure):
    """`struct bpf_tc_opts`."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("program_fd", ctypes.c_int),
        ("flags", ctypes.c_uint32),
        ("program_id", ctypes.c_uint32),
        ("handle", ctypes.c_uint32),
        ("priority", ctypes.c_uint32),
        ("padding", ctypes.c_uint32),
    )


class _TestRunOptions(ctypes.Structure):
    """`struct bpf_test_run_opts`."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("data_in", ctypes.c_void_p),
        ("data_out", ctypes.c_void_p),
        ("data_size_in", ctypes.c_uint32),
        ("data_size_out", ctypes.c_uint32),
        ("ctx_in", ctypes.c_void_p),
        ("ctx_out", ctypes.c_void_p),
        ("ctx_size_in", ctypes.c_uint32),
        ("ctx_size_out", ctypes.c_uint32),
        ("retval", ctypes.c_uint32),
        ("repeat", ctypes.c_int),
        ("duration", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("cpu", ctypes.c_uint32),
        ("batch_size", ctypes.c_uint32),
    )


def call(name: str, *arguments: Any) -> int:
    """Call a libbpf function and return what it returned; raises OSError for a negative error number."""
    if _lib is None:
        raise SensorError("missing_capability", "libbpf.so.1 is missing: apt-get install libbpf1")
    ctypes.set_errno(0)
    result = int(getattr(_lib, name)(*arguments))
    if result < 0:
        number = ctypes.get_errno() if result == -1 else -result
        raise OSError(number or errno.EPERM, f"{name}: {os.strerror(number or errno.EPERM)}")
    return result


def version() -> str | None:
    """Return libbpf's version such as `1.1`, or None where there is none."""
    if _lib is None:
        return None
    return f"{_lib.libbpf_major_version()}.{_lib.libbpf_minor_version()}"


def probe_program_type(kind: int) -> bool:
    """Return whether the kernel loads programs of this type."""
    return _probe("libbpf_probe_bpf_prog_type", kind, None)


def probe_map_type(kind: int) -> bool:
    """Return whether the kernel makes maps of this type."""
    return _probe("libbpf_probe_bpf_map_type", kind, None)


def probe_helper(program_type: int, helper: int) -> bool:
    """Return whether programs of this type may call this helper."""
    return _probe("libbpf_probe_bpf_helper", program_type, helper, None)


def probe_tcx() -> bool:
    """Return whether the kernel has tcx (Linux 6.6): ask which programs loopback has."""
    count = ctypes.c_uint32(0)
    try:
        call("bpf_prog_query", 1, ATTACH_TCX_INGRESS, 0, None, None, ctypes.byref(count))
    except OSError as error:
        return error.errno != errno.EINVAL
    return True


def _probe(name: str, *arguments: Any) -> bool:
    """Return a libbpf probe's answer; one that could not be asked is a no."""
    try:
        return call(name, *arguments) == 1
    except (OSError, SensorError):
        return False


def possible_cpus() -> int:
    """Return how many values a per-CPU entry has."""
    return call("libbpf_num_possible_cpus")


class Handle:
    """A file descriptor of a BPF object, closed with `close`."""

    def __init__(self, fd: int) -> None:
        """Take over an open file descriptor."""
        self.fd = fd

    @classmethod
    def pinned(cls, path: str, *arguments: Any) -> Any:
        """Open what is pinned at path; raises OSError."""
        return cls(call("bpf_obj_get", path.encode()), *arguments)

    def pin(self, path: str) -> None:
        """Keep the object alive in bpffs when every process has gone."""
        call("bpf_obj_pin", self.fd, path.encode())

    def close(self) -> None:
        """Let go of the object; what is pinned stays."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class Map(Handle):
    """A map with keys and values of fixed size; a per-CPU map's value is all CPUs' values in a row."""

    def __init__(self, fd: int, key_size: int, value_size: int, *, per_cpu: bool = False) -> None:
        """Take a map's descriptor and its declared sizes in bytes."""
        super().__init__(fd)
        self.key_size = key_size
        self.stride = (value_size + 7) // 8 * 8 if per_cpu else value_size
        self.value_size = self.stride * possible_cpus() if per_cpu else value_size

    def get(self, key: bytes) -> bytes | None:
        """Return the value at key, or None."""
        value = ctypes.create_string_buffer(self.value_size)
        try:
            call("bpf_map_lookup_elem", self.fd, key, value)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        return value.raw

    def put(self, key: bytes, value: bytes) -> None:
        """Set the value at key; raises SensorError `table_full`."""
        try:
            call("bpf_map_update_elem", self.fd, key, value, ctypes.c_uint64(0))
        except OSError as error:
            if error.errno in (errno.E2BIG, errno.ENOSPC, errno.ENOMEM):
                raise SensorError("table_full") from error
            raise

    def delete(self, key: bytes) -> bool:
        """Remove key; return whether it was there."""
        try:
            call("bpf_map_delete_elem", self.fd, key)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return False
            raise
        return True

    def keys(self) -> Iterator[bytes]:
        """Yield the keys; one that is added or removed meanwhile may or may not come."""
        key: bytes | None = None
        following = ctypes.create_string_buffer(self.key_size)
        while True:
            try:
                call("bpf_map_get_next_key", self.fd, key, following)
            except OSError as error:
                if error.errno == errno.ENOENT:
                    return
                raise
            key = following.raw
            yield key

    def items(self) -> list[tuple[bytes, bytes]]:
        """Return all entries, in batches where the kernel can (5.6, tries 5.14); one that moves may come twice."""
        found: dict[bytes, bytes] = {}
        batch = min(4096, _BATCH_BYTES // (self.key_size + self.value_size) + 64)
        keys = ctypes.create_string_buffer(self.key_size * batch)
        values = ctypes.create_string_buffer(self.value_size * batch)
        # The cursor is opaque: four bytes for hashes, a key for tries.
        cursor = ctypes.create_string_buffer(max(self.key_size, 8))
        first, more = True, True
        while more:
            count = ctypes.c_uint32(batch)
            try:
                call(
                    "bpf_map_lookup_batch",
                    self.fd,
                    None if first else cursor,
                    cursor,
                    keys,
                    values,
                    ctypes.byref(count),
                    None,
                )
            except OSError as error:
                if first and error.errno in (errno.EINVAL, errno.EOPNOTSUPP, _ENOTSUPP):
                    return [
                        (key, value) for key in self.keys() if (value := self.get(key)) is not None
                    ]
                if error.errno != errno.ENOENT:
                    raise
                more = False
            first = False
            size = self.value_size
            all_keys = ctypes.string_at(keys, count.value * self.key_size)
            all_values = ctypes.string_at(values, count.value * size)
            for i in range(count.value):
                key = all_keys[i * self.key_size : (i + 1) * self.key_size]
                found[key] = all_values[i * size : (i + 1) * size]
        return list(found.items())


class Program(Handle):
    """A loaded program."""

    @property
    def id(self) -> int:
        """The kernel's number of the program."""
        return int(struct.unpack_from("<II", _info(self.fd))[1])

    def run(self, frame: bytes, repeat: int = 1) -> tuple[int, int]:
        """Return verdict and mean duration (ns) over a frame, through BPF_PROG_TEST_RUN."""
        buffer = ctypes.create_string_buffer(frame, len(frame))
        options = _TestRunOptions(
            size=ctypes.sizeof(_TestRunOptions),
            data_in=ctypes.cast(buffer, ctypes.c_void_p),
            data_size_in=len(frame),
            repeat=repeat,
        )
        call("bpf_prog_test_run_opts", self.fd, ctypes.byref(options))
        return options.retval, options.duration


class Link(Handle):
    """A program's attachment that can be pinned and whose program can be replaced in one step."""

    @classmethod
    def create(cls, program: Program, interface: int, attach_type: int, flags: int = 0) -> "Link":
        """Attach program to an interface; raises OSError, EBUSY where another program holds the place."""
        options = _LinkCreateOptions(size=ctypes.sizeof(_LinkCreateOptions), flags=flags)
        return cls(
            call(
                "bpf_link_create",
                program.fd,
                interface,
                attach_type,
                ctypes.byref(options) if flags else None,
            )
        )

    @property
    def interface(self) -> int:
        """The interface's index, 0 when the interface has gone."""
        return int(struct.unpack_from("<I", _info(self.fd), 16)[0])

    @property
    def program(self) -> int:
        """The attached program's id."""
        return int(struct.unpack_from("<I", _info(self.fd), 8)[0])

    def update(self, program: Program) -> None:
        """Put another program in the place, without a packet that meets neither."""
        call("bpf_link_update", self.fd, program.fd, None)

    def detach(self) -> None:
        """Take the program off now; closing the last descriptor would do it some milliseconds later."""
        with contextlib.suppress(FileNotFoundError):  # the interface has gone
            call("bpf_link_detach", self.fd)


def _info(fd: int) -> bytes:
    """Return the beginning of the kernel's description of an object."""
    info = ctypes.create_string_buffer(256)
    size = ctypes.c_uint32(len(info))
    call("bpf_obj_get_info_by_fd", fd, info, ctypes.byref(size))
    return info.raw


def xdp_state(interface: int) -> tuple[int, str]:
    """Return the id of the XDP program on an interface, 0 for none, and its mode: `off`, `native` or `generic`."""
    options = _XdpQueryOptions(size=ctypes.sizeof(_XdpQueryOptions))
    call("bpf_xdp_query", interface, 0, ctypes.byref(options))
    mode = ("off", "native", "generic", "native", "native")[min(options.attach_mode, 4)]
    return (
        options.program_id or options.driver_id or options.generic_id or options.hardware_id,
        mode,
    )


class Classifier:
    """The place of one tc filter on a clsact qdisc: what kernels before tcx have."""

    #: Found again by these numbers; the priority leaves room on both sides for other people's filters.
    HANDLE: Final = 1
    PRIORITY: Final = 0x4857

    def __init__(self, interface: int, attach_point: int) -> None:
        """Take an interface's index, and TC_INGRESS or TC_EGRESS."""
        self._hook = _TcHook(
            size=ctypes.sizeof(_TcHook), interface=interface, attach_point=attach_point
        )

    def _options(self, program: Program | None = None, flags: int = 0) -> _TcOptions:
        """Return the options that name our filter."""
        return _TcOptions(
            size=ctypes.sizeof(_TcOptions),
            program_fd=0 if program is None else program.fd,
            flags=flags,
            handle=self.HANDLE,
            priority=self.PRIORITY,
        )

    def attach(self, program: Program) -> None:
        """Put the program in the place, or in the place of the one that is there; raises OSError."""
        with contextlib.suppress(FileExistsError):  # somebody's clsact, which filters share
            call("bpf_tc_hook_create", ctypes.byref(self._hook))
        call(
            "bpf_tc_attach",
            ctypes.byref(self._hook),
            ctypes.byref(self._options(program, TC_F_REPLACE)),
        )

    def program(self) -> int:
        """Return the id of the program in the place, 0 for none."""
        options = self._options()
        try:
            call("bpf_tc_query", ctypes.byref(self._hook), ctypes.byref(options))
        except OSError:
            return 0
        return int(options.program_id)

    def detach(self) -> None:
        """Take the filter out; the qdisc stays, since others may have filters on it."""
        try:
            call("bpf_tc_detach", ctypes.byref(self._hook), ctypes.byref(self._options()))
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EINVAL, errno.ENODEV):
                raise
