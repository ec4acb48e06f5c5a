"""The policy's file: read when it changes, the last good one kept, and what it says of each device."""

import ipaddress
import logging
import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from ..bounded import make_room
from ..errors import SensorError
from ..learning.programs import is_program
from ..network.home import Network
from ..patterns.pattern import Pattern
from ..patterns.reading import shipped
from ..processes.image import PROGRAM
from ..requests import Hint
from ..trust import Trust
from .expectations import Expectation, Expectations
from .policy import FORBIDDEN, DevicePolicy, Segment
from .programs import written_as
from .reading import KEYS, Document, Section, read

_LOGGER = logging.getLogger(__name__)

POLICY_FILE: Final = "policy.toml"
#: Reading more would take the sensor too long, and a home's every device has a section in less.
MAX_BYTES: Final = 64 * 1024
#: Parts of a name such as `all.detectors.flood`: what reading one takes grows with their square, and more.
_MAX_PARTS: Final = 16
#: Of a quoted part's length, lest looking for its end takes long: there can't be many that are longer.
_PART: Final = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.){0,200}+"|'[^'\n]*+')"""
_LONG_KEY: Final = re.compile(
    rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_MAX_PARTS}}}"
)
#: Devices, and addresses, whose policy and segment is remembered.
_REMEMBERED: Final = 4096

#: What says which version of a file this is.
_Version = tuple[int, ...]


class PolicyFile:
    """One policy; without a file everything is as usual."""

    def __init__(
        self,
        path: Path | str,
        macs_of: Callable[[str], Iterable[str]] = lambda mac: (mac,),
        hints: Mapping[str, Hint] | None = None,
        expected: Callable[[str], Expectations | None] = lambda _: None,
        *,
        decides: bool = True,
    ) -> None:
        """Take the file, what gives all MACs of a device, what another program knows of them, and their makers.

        When what the makers say changes, `clear` must be called. Where nothing is done by itself the file `decides`
        nothing, and may be anybody's.
        """
        self.path = Path(path)
        #: Why the file was not read; the last good policy holds then.
        self.problem: str | None = None
        #: What stands in the file that holds.
        self.raw: Mapping[str, Any] = {}
        self._macs_of = macs_of
        self._hints = dict(hints or {})
        self._expected = expected
        self._decides = decides
        self._document = Document()
        self._forbidden = FORBIDDEN
        self._version: _Version | None = None
        self._devices: dict[tuple[str, tuple[str, ...]], DevicePolicy] = {}
        self._places: dict[bytes, str | None] = {}
        self._networks: list[tuple[Network, str]] = []
        self.follow()

    @property
    def segments(self) -> Mapping[str, Segment]:
        """The parts of the network that the file names."""
        return self._document.segments

    @property
    def exists(self) -> bool:
        """Whether there is a file."""
        return self._version is not None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that have a section, in the file's order."""
        return tuple(self._document.labels)

    @property
    def given_labels(self) -> tuple[str, ...]:
        """The labels that devices have, by the file or by a hint, sorted."""
        devices = (each.get("labels", ()) for each in self._document.devices.values())
        hints = (each.labels for each in self._hints.values())
        return tuple(sorted({label for labels in (*devices, *hints) for label in labels}))

    def follow(self) -> bool:
        """Read the file if it is another one than before; return whether the policy changed."""
        try:
            version = _version(self.path.stat())
        except FileNotFoundError:
            changed = self._version is not None
            self._version, self.problem = None, None
            if changed:
                self._take({})
            return changed
        except OSError as error:
            return self._complain(None, f"{self.path} can't be read: {error.strerror}")
        if version == self._version:
            return False
        self._version = version
        try:
            self._take(parsed(content(self.path, decides=self._decides), str(self.path)))
        except SensorError as error:
            return self._complain(version, error.message)
        if self.problem is not None:
            _LOGGER.info("%s can be read again, and holds", self.path)
        if not self.raw:
            _LOGGER.info("%s holds nothing: the defaults apply", self.path)
        self.problem = None
        return True

    def _complain(self, version: _Version | None, problem: str) -> bool:
        """Say why the file is not read, once."""
        self._version = version
        if problem != self.problem and self._decides:
            held = "what it said before holds" if self.raw else "the defaults apply"
            _LOGGER.warning("%s; until that is mended %s", problem, held)
        self.problem = problem
        return False

    def _take(self, raw: Mapping[str, Any]) -> None:
        """Let another policy hold; raises SensorError `invalid_policy`."""
        self._document, self.raw = read(raw), raw
        self._forbidden = FORBIDDEN | self._document.forbidden
        self._networks = sorted(
            ((each, one.name) for one in self.segments.values() for each in one.networks),
            key=lambda pair: pair[0].prefixlen,
            reverse=True,
        )
        self.clear()

    def clear(self) -> None:
        """Forget what was worked out: which MACs are one device is not as it was, say."""
        self._devices.clear()
        self._places.clear()

    # What it says

    def wanted_patterns(self) -> tuple[Pattern, ...]:
        """Return the patterns that are on for any program: what they need is traced, and nothing else."""
        document = self._document
        said = [each.get("patterns", {}) for each in document.programs.values()]
        off = {name for name, mode in document.all.get("patterns", {}).items() if mode == "off"}
        off -= {name for each in said for name, mode in each.items() if mode == "on"}
        return tuple(each for each in shipped() if each.name not in off)

    def forbids(self, application: str) -> bool:
        """Return whether an application is forbidden to any device."""
        return application in self._forbidden

    @property
    def hints(self) -> Mapping[str, Hint]:
        """What another program knows of devices, by MAC."""
        return self._hints

    def forget(self, macs: Iterable[str]) -> None:
        """Forget the hints on these MACs."""
        gone = set(macs)
        self.set_hints({mac: each for mac, each in self._hints.items() if mac not in gone})

    def set_hints(self, hints: Mapping[str, Hint]) -> None:
        """Take what another program knows of devices, in place of what it said before."""
        self._hints = dict(hints)
        self.clear()

    def device(self, mac: str, labels: Iterable[str] = ()) -> DevicePolicy:
        """Return what holds for a device, by any of its MACs, that also has these labels; or for a program."""
        key = (mac, tuple(labels))
        found = self._devices.get(key)
        if found is None:
            known = self._of_program(mac) if is_program(mac) else self._worked_out(mac, key[1])
            found = self._devices[key] = known
            make_room(self._devices, _REMEMBERED)
        return found

    def _worked_out(self, mac: str, labels: Iterable[str]) -> DevicePolicy:
        """Return what holds for a device: its own section's words, its labels', hints, those for all."""
        document = self._document
        macs = tuple(self._macs_of(mac))
        own = [document.devices[each] for each in reversed(macs) if each in document.devices]
        hints = [self._hints[each] for each in macs if each in self._hints]
        has = {*labels, *(each for one in hints for each in one.labels)}
        has.update(each for section in own for each in section.get("labels", ()))
        of_labels = [section for name, section in document.labels.items() if name in has]
        hinted = [{"local": each.local} for each in hints if each.local is not None]
        expected = next(filter(None, map(self._expected, macs)), None)
        if expected is not None:
            hinted.insert(0, {"local": expected.stays_home})
        values = _joined((document.all, *hinted, *of_labels, *own))
        values["labels"] = tuple(sorted(has))
        return DevicePolicy(
            segments_reach={
                name: each.may_reach
                for name, each in document.segments.items()
                if each.may_reach is not None
            },
            expected=expected,
            **values,
        )

    def _of_program(self, who: str) -> DevicePolicy:
        """Return what holds for a program: its own section's words, then those for all that make sense for one."""
        path, document = who.removeprefix(PROGRAM), self._document
        keys = KEYS["program"]
        everybody = {key: value for key, value in document.all.items() if key in keys}
        own = [document.programs[each] for each in written_as(path) if each in document.programs]
        values = _joined((everybody, *own))
        peers = values.pop("may_talk_to", None)
        if peers is not None:
            values["expected"] = Expectations(Expectation(each) for each in peers)
        return DevicePolicy(**values)

    def segment(self, address: bytes) -> str | None:
        """Return the segment that an address (sixteen bytes) is in, the narrowest one; None if none is named."""
        if address not in self._places:
            parsed = ipaddress.IPv6Address(address)
            known = parsed.ipv4_mapped or parsed
            self._places[address] = next(
                (name for network, name in self._networks if _holds(network, known)), None
            )
            make_room(self._places, _REMEMBERED)
        return self._places[address]


def _holds(network: Network, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether an address is in a prefix."""
    return network.version == address.version and address in network


def _joined(sections: Iterable[Section]) -> dict[str, Any]:
    """Return what sections say together: a later one's word goes before an earlier one's, detectors one by one."""
    values: dict[str, Any] = {}
    for each in sections:
        detectors = {**values.get("detectors", {}), **each.get("detectors", {})}
        patterns = {**values.get("patterns", {}), **each.get("patterns", {})}
        values.update(each, detectors=detectors, patterns=patterns)
    if "respond" in values:
        values["responses"] = values.pop("respond")
    return values


def parsed(text: bytes, path: str) -> dict[str, Any]:
    """Return a file's TOML; raises SensorError `invalid_policy`."""
    try:
        written = text.decode()
        _check_names(written)
        return tomllib.loads(written)
    except (ValueError, RecursionError) as error:
        raise SensorError("invalid_policy", f"{path} is no TOML: {str(error)[:200]}") from None


def _check_names(written: str) -> None:
    """Raise ValueError for a name of too many parts."""
    if long := _LONG_KEY.search(written):
        line = written.count("\n", 0, long.start()) + 1
        raise ValueError(f"line {line} has a name of more than {_MAX_PARTS} parts")


def content(path: Path, *, decides: bool = True) -> bytes:
    """Return a file that only root, or this process's user, can change, if it decides what is cut off by itself.

    Raises SensorError `unsafe_files` or `invalid_policy`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise SensorError("unsafe_files", f"{path} is no file")
            if decides:
                Trust.own().require(descriptor, path)
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SensorError("invalid_policy", f"{path} can't be read: {error.strerror}") from None
    if len(text) > MAX_BYTES:
        raise SensorError("invalid_policy", f"{path} is longer than {MAX_BYTES // 1024} kB")
    return text


def _version(found: os.stat_result) -> _Version:
    """Return what tells one version of a file from another."""
    return (
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_uid,
        found.st_mode,
    )
