"""README.ja.md and docs/features.ja.md are the English ones in Japanese: the same sections, code, links and claims."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
#: The ways from one language to the other, and to what has a name of its own in each.
OTHERS = {
    "README.md",
    "README.ja.md",
    "features.md",
    "features.ja.md",
    "docs/features.md",
    "docs/features.ja.md",
    "#install",
    "#インストール",
    "#on-your-gateway",
    "#ゲートウェイで使う",
    "#the-way-back",
    "#元に戻す",
}


def sections(text: str) -> list[str]:
    """Split at headings, none of which is in a block of code."""
    blocks = FENCED.findall(text)
    bare = FENCED.sub("\0", text)
    found = re.split(r"^(?=#)", bare, flags=re.MULTILINE)
    return [re.sub("\0", lambda _: blocks.pop(0), each) for each in found if each.strip()]


def shape(section: str) -> tuple[object, ...]:
    """What has to be the same, whatever the language."""
    bare = FENCED.sub("", section)
    links = [each for each in re.findall(r"\]\(([^)]+)\)", bare) if each not in OTHERS]
    return (
        len(re.match(r"#*", section)[0]),
        FENCED.findall(section),
        sorted(links),
        len(re.findall(r"^- ", bare, re.MULTILINE)),
        len(re.findall(r"^\d+\. ", bare, re.MULTILINE)),
        sorted(set(re.findall(r"`[^`]+`", bare))),
    )


PAGES = (("README.md", "README.ja.md"), ("docs/features.md", "docs/features.ja.md"))
ENGLISH = [each for page, _ in PAGES for each in sections((ROOT / page).read_text())]
JAPANESE = [each for _, page in PAGES for each in sections((ROOT / page).read_text())]


def test_sections_are_the_same() -> None:
    assert len(JAPANESE) == len(ENGLISH) > 5


@pytest.mark.parametrize(
    ("english", "japanese"),
    [
        pytest.param(*each, id=each[0].partition("\n")[0].strip("# "))
        for each in zip(ENGLISH, JAPANESE, strict=False)
    ],
)
def test_a_section_holds_the_same(english: str, japanese: str) -> None:
    assert shape(japanese) == shape(english)


def test_all_but_code_is_japanese() -> None:
    for section in JAPANESE:
        for paragraph in re.split(r"\n\s*\n", FENCED.sub("", section)):
            words = re.sub(r"`[^`]*`|\[[^]]*\]\([^)]*\)|^#.*$", "", paragraph, flags=re.MULTILINE)
            if len(words.split()) > 3:
                assert re.search(r"[\u3040-\u30ff]", words), paragraph
