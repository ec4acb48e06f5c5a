"""The commands that the README has people type on their gateway."""

import re

from tests.rootfs.made import REPOSITORY

#: Where they download the release: the tests have it served on loopback instead, from this checkout.
RELEASES = "https://github.com/hearthwall/hearthwall/releases/latest/download"


def commands(heading: str) -> list[str]:
    """Return the commands of the first block of code below a heading, each on one line."""
    section = (REPOSITORY / "README.md").read_text().split(f"\n{heading}\n")[1].split("\n## ")[0]
    block = re.search(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert block is not None
    return block[1].replace("\\\n", " ").splitlines()
