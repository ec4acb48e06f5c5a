"""All lists' prefixes in one table for each family: the longest match must know its parents' lists too."""

from collections.abc import Iterable, Sequence

from .entries import Prefix

#: Prefixes in order, and for each the slots of the lists that hold it or a wider one: one bit each.
Merged = tuple[list[Prefix], list[int]]


def merge(feeds: Iterable[tuple[int, Sequence[Prefix]]], bits: int) -> Merged:
    """Merge (slot, prefixes) of all lists; a prefix that adds no list to those of a wider one is left out."""
    own: dict[Prefix, int] = {}
    for slot, prefixes in feeds:
        bit = 1 << slot
        if own:
            for each in prefixes:
                own[each] = own.get(each, 0) | bit
        else:
            own = dict.fromkeys(prefixes, bit)
    kept: list[Prefix] = []
    masks: list[int] = []
    # The prefixes that contain the one that is looked at, the widest first: last address, mask
    around: list[tuple[int, int]] = []
    for prefix in sorted(own):
        address = prefix >> 8
        while around and around[-1][0] < address:
            around.pop()
        inherited = around[-1][1] if around else 0
        mask = own[prefix] | inherited
        if mask == inherited:
            continue
        size = bits - (prefix & 255)
        if size:
            around.append((address | ((1 << size) - 1), mask))
        kept.append(prefix)
        masks.append(mask)
    return kept, masks
