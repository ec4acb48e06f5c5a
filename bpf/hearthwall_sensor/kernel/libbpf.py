"""libbpf through ctypes: the kernel's maps and programs, without LLVM in the process."""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ..protocol import SensorError
from . import held

PROG_TYPE_SCHED_CLS: Final = 3
PROG_TYPE_XDP: Final = 6
MAP_TYPE_LPM_TRIE: Final = 11
MAP_TYPE_LRU_PERCPU_HASH: Final = 10
MAP_TYPE_RINGBUF: Final = 27
HELPER_KTIME_GET_BOOT_NS: Final = 125

_BATCH_BYTES: Final = 1 << 20
#: The kernel's own ENOTSUPP, which is not among the errors of user space.
_ENOTSUPP: Final = 524
_NO_BATCHES: Final = (errno.EINVAL, errno.EOPNOTSUPP, _ENOTSUPP)

_lib: ctypes.CDLL | None
try:
    _lib = ctypes.CDLL("libbpf.so.1", use_errno=True)
    _lib.libbpf_set_print(None)  # its errors come back as numbers
except OSError:  # check says what is missing; everything else fails on first use
    _lib = None


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
        is_held = held.is_held(path)
        return cls(held.opened(path) if is_held else call("bpf_obj_get", path.encode()), *arguments)

    def pin(self, path: str) -> None:
        """Keep the object alive in bpffs when every process has gone; without bpffs, as long as this one lives."""
        if held.is_held(path):
            held.hold(path, self.fd)
        else:
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
        """Return all entries; one that moves may come twice."""
        found: dict[bytes, bytes] = {}
        batch = min(4096, _BATCH_BYTES // (self.key_size + self.value_size) + 64)
        for keys, values in self.blocks(batch):
            for i in range(len(keys) // self.key_size):
                key = bytes(keys[i * self.key_size : (i + 1) * self.key_size])
                found[key] = bytes(values[i * self.value_size : (i + 1) * self.value_size])
        return list(found.items())

    def blocks(self, batch: int) -> Iterator[tuple[memoryview, memoryview]]:
        """Yield keys and their values in a row, up to so many at once: what is yielded lasts until the next.

        In batches where the kernel can (5.6, tries 5.14), else one by one.
        """
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
                if first and error.errno in _NO_BATCHES:
                    yield from self._singles()
                    return
                if error.errno != errno.ENOENT:
                    raise
                more = False
            first = False
            yield (
                memoryview(keys)[: count.value * self.key_size],
                memoryview(values)[: count.value * self.value_size],
            )

    def _singles(self) -> Iterator[tuple[memoryview, memoryview]]:
        """Yield all entries one by one."""
        for key in self.keys():
            value = self.get(key)
            if value is not None:
                yield memoryview(key), memoryview(value)

    def delete_all(self, keys: Sequence[bytes]) -> int:
        """Remove keys; return how many were there. In batches where the kernel can (5.6)."""
        removed, at = 0, 0
        while at < len(keys):
            count = ctypes.c_uint32(len(keys) - at)
            rest = b"".join(keys[at:])
            try:
                call("bpf_map_delete_batch", self.fd, rest, ctypes.byref(count), None)
            except OSError as error:
                if error.errno in _NO_BATCHES:
                    return removed + sum(self.delete(key) for key in keys[at:])
                if error.errno != errno.ENOENT:
                    raise
                at += 1  # the one that was not there ended the batch
            removed += count.value
            at += count.value
        return removed


class Program(Handle):
    """A loaded program."""

    @classmethod
    def by_id(cls, number: int) -> "Program":
        """Open a program by the kernel's number; raises OSError, EPERM without CAP_SYS_ADMIN."""
        return cls(call("bpf_prog_get_fd_by_id", ctypes.c_uint32(number)))

    @property
    def is_program(self) -> bool:
        """Whether the descriptor is a program's, and not a map's or a link's."""
        return str(Path(f"/proc/self/fd/{self.fd}").readlink()) == "anon_inode:bpf-prog"

    @property
    def name(self) -> str:
        """The name that it was loaded under, in the kernel's fifteen characters."""
        return object_info(self.fd)[64:80].split(b"\0")[0].decode(errors="replace")

    @property
    def id(self) -> int:
        """The kernel's number of the program."""
        return int(struct.unpack_from("<II", object_info(self.fd))[1])

    def run(self, frame: bytes, repeat: int = 1, flags: int = 0, batch: int = 0) -> tuple[int, int]:
        """Return verdict and mean duration (ns) over a frame, through BPF_PROG_TEST_RUN."""
        buffer = ctypes.create_string_buffer(frame, len(frame))
        options = _TestRunOptions(
            size=ctypes.sizeof(_TestRunOptions),
            data_in=ctypes.cast(buffer, ctypes.c_void_p),
            data_size_in=len(frame),
            repeat=repeat,
            flags=flags,
            batch_size=batch,
        )
        call("bpf_prog_test_run_opts", self.fd, ctypes.byref(options))
        return options.retval, options.duration


def object_info(fd: int) -> bytes:
    """Return the beginning of the kernel's description of an object."""
    info = ctypes.create_string_buffer(256)
    size = ctypes.c_uint32(len(info))
    call("bpf_obj_get_info_by_fd", fd, info, ctypes.byref(size))
    return info.raw
