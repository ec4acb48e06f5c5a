"""The rules in force, as the sensor last told them, found by what they are on."""

from collections.abc import Iterable, Iterator

from .bpf.hearthwall_sensor.modes import Transport
from .bpf.hearthwall_sensor.protocol import Block

#: What only one rule can be on: a target, and a transport and port of it.
type Key = tuple[str, Transport | None, int | None]


def isolates(block: Block) -> bool:
    """Tell whether a rule cuts its target off altogether, as the quarantine switch does."""
    return block.mode == "isolate" and block.direction == "any" and is_whole(block)


def is_whole(block: Block) -> bool:
    """Tell whether a rule is on all of its target's traffic."""
    return block.transport is None and block.port is None


class Blocks:
    """The rules in force at one gateway."""

    def __init__(self) -> None:
        """Begin with none."""
        self._keys: dict[int, Key] = {}
        self._by_target: dict[str, dict[Key, Block]] = {}

    def __len__(self) -> int:
        """Return how many rules there are."""
        return sum(map(len, self._by_target.values()))

    def __iter__(self) -> Iterator[Block]:
        """Yield every rule."""
        for rules in self._by_target.values():
            yield from rules.values()

    def on(self, target: str) -> list[Block]:
        """Return the rules on a target."""
        return list(self._by_target.get(target, {}).values())

    def whole(self, target: str) -> Block | None:
        """Return the rule on all of a target's traffic."""
        return self._by_target.get(target, {}).get((target, None, None))

    def put(self, block: Block) -> None:
        """Take a new rule or what changed of one; it replaces the one in its place."""
        key = (block.target, block.transport, block.port)
        self._keys[block.id] = key
        self._by_target.setdefault(block.target, {})[key] = block

    def remove(self, identity: int) -> str | None:
        """Forget a rule unless another has taken its place; return its target if it was known."""
        key = self._keys.pop(identity, None)
        if key is None:
            return None
        rules = self._by_target.get(key[0], {})
        if key in rules and rules[key].id == identity:
            del rules[key]
            if not rules:
                del self._by_target[key[0]]
        return key[0]

    def replace(self, blocks: Iterable[Block]) -> set[str]:
        """Forget what was known and take these; return every target that had or has a rule."""
        before = set(self._by_target)
        self._keys.clear()
        self._by_target.clear()
        for block in blocks:
            self.put(block)
        return before | set(self._by_target)
