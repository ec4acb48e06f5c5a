"""The ways onto an interface: links of XDP and tcx, tc filters, and XDP set through netlink; and who is there."""

import contextlib
import ctypes
import errno
import struct
from pathlib import Path
from typing import Any, Final

from . import held
from .libbpf import Handle, Program, call, object_info

ATTACH_XDP: Final = 37
ATTACH_TCX_INGRESS: Final = 46
ATTACH_TCX_EGRESS: Final = 47

XDP_FLAGS_UPDATE_IF_NOEXIST: Final = 1 << 0
XDP_FLAGS_SKB_MODE: Final = 1 << 1
XDP_FLAGS_DRV_MODE: Final = 1 << 2

TC_INGRESS: Final = 1 << 0
TC_EGRESS: Final = 1 << 1
_TC_F_REPLACE: Final = 1 << 0

_LOOPBACK: Final = 1
_NO_DESCRIPTOR: Final = -1
#: More programs than this in one tcx place are not told apart.
_MAX_PROGRAMS: Final = 64
_GONE: Final = (errno.ENOENT, errno.EINVAL, errno.ENODEV)


class _LinkCreateOptions(ctypes.Structure):
    """`struct bpf_link_create_opts` up to what is used; libbpf reads no further than `size`."""

    _fields_ = (("size", ctypes.c_size_t), ("flags", ctypes.c_uint32), ("padding", ctypes.c_uint32))


class _XdpAttachOptions(ctypes.Structure):
    """`struct bpf_xdp_attach_opts`."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("old_program_fd", ctypes.c_int),
        ("padding", ctypes.c_uint32),
    )


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


def probe_tcx() -> bool:
    """Return whether the kernel has tcx (Linux 6.6): ask which programs loopback has."""
    try:
        tcx_programs(_LOOPBACK, ATTACH_TCX_INGRESS)
    except OSError as error:
        return error.errno != errno.EINVAL
    return True


def probe_xdp_link() -> bool:
    """Return whether the kernel has links of XDP (Linux 5.9): asked with no program, one that has misses just that."""
    try:
        call("bpf_link_create", _NO_DESCRIPTOR, _LOOPBACK, ATTACH_XDP, None)
    except OSError as error:
        return error.errno == errno.EBADF
    return True


def tcx_programs(interface: int, attach_type: int) -> list[int]:
    """Return the ids of the programs in one of an interface's tcx places; raises OSError."""
    ids = (ctypes.c_uint32 * _MAX_PROGRAMS)()
    count = ctypes.c_uint32(_MAX_PROGRAMS)
    call("bpf_prog_query", interface, attach_type, 0, None, ids, ctypes.byref(count))
    return list(ids[: min(count.value, _MAX_PROGRAMS)])


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
        return int(struct.unpack_from("<I", object_info(self.fd), 16)[0])

    @property
    def program(self) -> int:
        """The attached program's id."""
        return int(struct.unpack_from("<I", object_info(self.fd), 8)[0])

    def update(self, program: Program) -> None:
        """Put another program in the place, without a packet that meets neither."""
        call("bpf_link_update", self.fd, program.fd, None)

    def detach(self) -> None:
        """Take the program off now; closing the last descriptor would do it some milliseconds later."""
        try:
            call("bpf_link_detach", self.fd)
        except FileNotFoundError:  # the interface has gone
            return
        except OSError as error:
            if (
                error.errno != errno.EOPNOTSUPP
            ):  # one on a tracepoint ends with its last descriptor only
                raise


class PinnedLink:
    """The place of one link, found again by the path where it is pinned."""

    def __init__(self, path: Path, interface: int, attach_type: int, flags: int = 0) -> None:
        """Take the pin's path, the interface's index, and how a link is made there."""
        self._path = path
        self._interface = interface
        self._attach_type = attach_type
        self._flags = flags

    def _open(self) -> Link | None:
        """Return the link, None where there is none."""
        try:
            link: Link = Link.pinned(str(self._path))
        except FileNotFoundError:
            return None
        return link

    def program(self) -> int:
        """Return the id of the program in the place, 0 for none; one of an interface that has gone is none."""
        link = self._open()
        if link is None:
            return 0
        try:
            return link.program if link.interface == self._interface else 0
        finally:
            link.close()

    def attach(self, program: Program) -> None:
        """Replace the program of the link that is there, or make one and pin it; raises OSError."""
        old = self._open()
        if old is not None:
            try:
                if old.interface == self._interface:
                    old.update(program)
                    return
            finally:
                old.close()
            self._path.unlink()  # of an interface that has gone; its index has come back
        link = Link.create(program, self._interface, self._attach_type, self._flags)
        try:
            link.pin(str(self._path))
        finally:
            link.close()

    def detach(self) -> None:
        """Take the link off its interface."""
        detach(self._path)


def detach(path: Path) -> None:
    """Take a pinned link off its interface, at once, and unpin it; one that is not there is fine."""
    try:
        link: Link = Link.pinned(str(path))
    except FileNotFoundError:
        return
    try:
        link.detach()
    finally:
        link.close()
    path.unlink()
    held.forget()


def xdp_state(interface: int) -> tuple[int, str]:
    """Return the id of the XDP program on an interface, 0 for none, and its mode: `off`, `native` or `generic`."""
    options = _XdpQueryOptions(size=ctypes.sizeof(_XdpQueryOptions))
    call("bpf_xdp_query", interface, 0, ctypes.byref(options))
    mode = ("off", "native", "generic", "native", "native")[min(options.attach_mode, 4)]
    return (
        options.program_id or options.driver_id or options.generic_id or options.hardware_id,
        mode,
    )


def set_xdp(interface: int, program: Program, flags: int) -> None:
    """Put a program on an interface by netlink where there is none; raises OSError."""
    call("bpf_xdp_attach", interface, program.fd, flags | XDP_FLAGS_UPDATE_IF_NOEXIST, None)


def replace_xdp(interface: int, program: Program, flags: int, old: Program | None) -> None:
    """Put a program in the place of `old` and no other; with None, of the one that is there. Raises OSError."""
    call("bpf_xdp_attach", interface, program.fd, flags, _xdp_options(old))


def clear_xdp(interface: int, old: Program | None, flags: int) -> None:
    """Take `old` off, put there by netlink, and no other; with None, the one that is there. Raises OSError."""
    call("bpf_xdp_detach", interface, flags, _xdp_options(old))


def _xdp_options(old: Program | None) -> Any:
    """Return the options that name the program which is expected to be there."""
    if old is None:
        return None
    return ctypes.byref(
        _XdpAttachOptions(size=ctypes.sizeof(_XdpAttachOptions), old_program_fd=old.fd)
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
        #: Whether there was no qdisc before this one's filter.
        self.made_qdisc = False

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
            self.made_qdisc = True
        call(
            "bpf_tc_attach",
            ctypes.byref(self._hook),
            ctypes.byref(self._options(program, _TC_F_REPLACE)),
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
        """Take the filter out; the qdisc stays, since others may have filters on it: see `remove_qdisc`."""
        try:
            call("bpf_tc_detach", ctypes.byref(self._hook), ctypes.byref(self._options()))
        except OSError as error:
            if error.errno not in _GONE:
                raise


def remove_qdisc(interface: int) -> None:
    """Take an interface's clsact qdisc off, with whatever is on it; raises OSError."""
    both = TC_INGRESS | TC_EGRESS
    hook = _TcHook(size=ctypes.sizeof(_TcHook), interface=interface, attach_point=both)
    call("bpf_tc_hook_destroy", ctypes.byref(hook))
