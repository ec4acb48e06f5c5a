"""What is known of flows beyond what was counted: the peer's name, from where, and the application."""

from collections import Counter, OrderedDict
from functools import lru_cache
from typing import Final, NamedTuple

from ..bounded import make_room
from ..dissect.applications import better
from ..dissect.conversation import Conversation, Finding
from ..protocol import NameSource
from .flow import DOWNLOAD, TCP, UDP, FlowKey, Sample

#: As many as the kernel has flows.
MAX_LABELS: Final = 65_536
#: Flows whose beginning is still being read: a hello may come in pieces.
_MAX_OPEN: Final = 512
_STRENGTH: Final[dict[NameSource | None, int]] = {
    None: 0,
    "dns": 1,
    "http": 2,
    "tls": 3,
    "quic": 3,
}
_BEST: Final = 3


class Label(NamedTuple):
    """What is known of a flow; `application` is None where its bytes say nothing."""

    application: str | None = None
    name: str | None = None
    source: NameSource | None = None
    encrypted_hello: bool = False
    way: int | None = None
    """The direction in which the name was said: by the device of the peer (upload), or the other way round."""

    @property
    def peer_name(self) -> str | None:
        """What the device calls the peer."""
        return None if self.way == DOWNLOAD else self.name

    @property
    def served_as(self) -> str | None:
        """What the peer calls the device, which is the server."""
        return self.name if self.way == DOWNLOAD else None


#: Most flows share a label with many others, and there may be as many labels as flows.
_shared = lru_cache(maxsize=4096)(Label)
_NOTHING: Final = Label()
_NO_FINDING: Final = Finding()


class Labels:
    """The labels of all flows. Flows are known by a hash of their key: the keys would take twice the memory."""

    def __init__(self, limit: int = MAX_LABELS) -> None:
        """Keep at most so many labels; the oldest gives way."""
        self._limit = limit
        self._labels: dict[int, Label] = {}
        self._open: OrderedDict[bytes, Conversation] = OrderedDict()
        #: Malformed packets by kind.
        self.malformed: Counter[str] = Counter()

    def take(self, sample: Sample, key: FlowKey) -> Finding:
        """Learn from a packet's payload and return what it said."""
        conversation = self._open.pop(sample.key, None)
        known = self.of(sample.key)
        if (
            conversation is None
            and _STRENGTH[known.source] == _BEST
            and (known.way != sample.direction or key.protocol == UDP)
        ):
            return _NO_FINDING  # what follows a hello that has been read
        if conversation is None:
            conversation = Conversation(key.protocol, key.port, key.peer_port)
        finding = conversation.take(
            sample.direction, sample.offset, sample.data, sample.wire_length
        )
        if finding.more:
            self._open[sample.key] = conversation
            if len(self._open) > _MAX_OPEN:
                self._open.popitem(last=False)
        if finding.malformed is not None:
            self.malformed[finding.malformed] += 1
        anew = key.protocol == TCP and sample.offset == 0
        self._improve(sample.key, finding, sample.direction, anew=anew)
        return finding

    def set_application(self, packed: bytes, application: str) -> None:
        """Say what a flow is, by a parser that understood it."""
        self._improve(packed, Finding(application=application), None, anew=False)

    def set_name(self, packed: bytes, name: str) -> None:
        """Say what the device called the peer when it asked for its address."""
        self._improve(packed, Finding(name=name, source="dns"), None, anew=False)

    def _improve(self, packed: bytes, finding: Finding, way: int | None, *, anew: bool) -> None:
        """Add what was found; a name stands until better evidence comes, or the same in a connection begun anew."""
        number = hash(packed)
        known = self._labels.get(number, _NOTHING)
        application, name, source, encrypted, known_way = known
        gain = _STRENGTH[finding.source] - _STRENGTH[source]
        # What an answer's sample tells again was said the other way
        is_other = anew and finding.name != name
        if finding.name is not None and (gain > 0 or (gain == 0 and is_other)):
            name, source, known_way = finding.name, finding.source, way
        label = _shared(
            better(application, finding.application),
            name,
            source,
            encrypted or finding.encrypted_hello,
            known_way,
        )
        if label is not known and label != _NOTHING:
            self._keep(number, label)

    def put(self, packed: bytes, label: Label) -> None:
        """Take a label that was known before."""
        self._keep(hash(packed), _shared(*label))

    def _keep(self, number: int, label: Label) -> None:
        """Keep a label, in place of the oldest ones if there are too many."""
        self._labels[number] = label
        make_room(self._labels, self._limit)

    def of(self, packed: bytes) -> Label:
        """Return what is known of the flow with this packed key."""
        return self._labels.get(hash(packed), _NOTHING)

    def forget(self, packed: bytes) -> None:
        """Forget a flow."""
        self._labels.pop(hash(packed), None)
        self._open.pop(packed, None)

    def __len__(self) -> int:
        """Return how many flows have a label."""
        return len(self._labels)
