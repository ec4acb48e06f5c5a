"""What a process says of itself, made fit to be shown: printable, short, and without its secrets."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

#: A command line's longest text.
MAX_COMMAND_LINE: Final = 256
#: More of a command line is not looked at.
READ_BYTES: Final = 4096
MASK: Final = "***"
_MORE: Final = "…"
#: Command lines in command lines, such as `ssh host "sh -c '…'"`, are looked into so deep.
_DEEPEST: Final = 3

#: Parts of a name whose value is a secret, wherever they stand in it…
_ANYWHERE: Final = (
    *("passw", "passphrase", "passcode", "kennwort", "secret", "token", "credential", "bearer"),
    *("authorization", "cookie", "pwd", "api[-_.]?key", "access[-_.]?key", "private[-_.]?key"),
    *("auth[-_.]?key", "encryption[-_.]?key", "signing[-_.]?key", "preshared", "community"),
)
#: …and those that must stand by themselves.
_ALONE: Final = (
    "pass",
    "passin",
    "passout",
    "pw",
    "psk",
    "key",
    "pin",
    "otp",
    "auth",
    "jwt",
    "pat",
    "sig",
)
_SECRET: Final = re.compile(
    rf"(?i)(?:{'|'.join(_ANYWHERE)})|(?:^|[-_.])(?:{'|'.join(_ALONE)})(?:$|[-_.])"
)
#: Where a secret is, which is none itself.
_WHERE: Final = re.compile(r"(?i)[-_.](?:file|path|stdin|fd|dir|directory|command|helper)$")
#: A name with what parts it from its value; each name is looked at once, however long it is.
_ASSIGNED: Final = re.compile(r"""(?<![\w.-])([\w.-]++)(\\*["']?\s*[=:]\s*)""")
_OPTION: Final = re.compile(r"--?[\w.-]++")
#: Words that a secret follows.
_SCHEMES: Final = frozenset(("bearer", "basic", "digest", "negotiate"))
_SHELL_WORD: Final = re.compile(r"""(?:[^\s"']|"[^"]*+(?:"|$)|'[^']*+(?:'|$))++""")
_QUOTES: Final = "\\\"'"

#: Programs whose options of one letter have secrets, → the letters whose value may be the next word, and those whose
#: value is in the same word.
_LETTERS: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(("mysql", "mysqldump", "mysqladmin", "mysqlcheck", "mysqlimport"), ("", "p")),
    **dict.fromkeys(("mariadb", "mariadb-dump", "mariadb-admin", "mysqlsh"), ("", "p")),
    **dict.fromkeys(("7z", "7za", "7zr", "rar", "unrar"), ("", "p")),
    **dict.fromkeys(("curl", "wget"), ("uU", "uU")),
    **dict.fromkeys(("ldapsearch", "ldapadd", "ldapmodify", "ldapwhoami"), ("w", "w")),
    **dict.fromkeys(("mosquitto_pub", "mosquitto_sub", "mosquitto_rr"), ("P", "P")),
    **dict.fromkeys(("snmpget", "snmpwalk", "snmpset", "snmpbulkwalk"), ("cAX", "cAX")),
    **dict.fromkeys(("zip", "unzip", "ipmitool", "sqlcmd", "isql"), ("P", "P")),
    **dict.fromkeys(("mongo", "mongosh", "mongodump", "sshpass", "login"), ("p", "p")),
    **dict.fromkeys(("smbclient", "rpcclient", "net"), ("U", "U")),
    "redis-cli": ("a", "a"),
    "openssl": ("kK", ""),
    "xfreerdp": ("p", "p"),
}
#: What is a secret by its look → what stands in its place.
_SHAPES: Final = (
    (re.compile(r"(://[^\s/:@]*+:)\S*@"), rf"\1{MASK}@"),
    (re.compile(r"(://)[^\s/:@]{20,}+@"), rf"\1{MASK}@"),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|hf_)[\w-]{10,}+"), MASK),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}+"), MASK),
    (re.compile(r"\beyJ[\w-]{8,}+(?:\.[\w-]*+)*"), MASK),
    (re.compile(r"(?i)\b(bearer|basic)(\s+)\S+"), rf"\1\2{MASK}"),
)

#: A backslash that would be read as the beginning of an escape.
_LIKE_ESCAPE: Final = re.compile(r"\\(?=x[0-9a-fA-F]{2})")
#: Where a text ends within an escape.
_HALF: Final = re.compile(r"\\(?:x[0-9a-f]?)?$")
_ESCAPED: Final = re.compile(rb"\\x([0-9a-f]{2})")


def printable(data: bytes, limit: int | None = None) -> str:
    r"""Return bytes as text that can be shown: what is not printable UTF-8 is written as `\xNN`.

    Without a limit the text says which bytes they were. With one, it ends in `…` where it was cut.
    """
    return _shown(data.decode("utf-8", "surrogateescape"), limit)


def original(text: str) -> bytes:
    """Return the bytes that `printable` has made a text of."""
    return _ESCAPED.sub(
        lambda found: bytes.fromhex(found[1].decode()), text.encode("utf-8", "surrogateescape")
    )


def command_line(words: Iterable[bytes], *, has_more: bool = False) -> str:
    """Return a command line as text of at most MAX_COMMAND_LINE characters, its secrets masked."""
    taken, room = [], READ_BYTES
    for word in words:
        if room <= 0:
            has_more = True
            break
        taken.append(word[:room].decode("utf-8", "surrogateescape"))
        has_more |= len(word) > room
        room -= len(word) + 1
    text = " ".join(each or "''" for each in _masked(taken, 0))
    return _shown(text + _MORE if has_more else text, MAX_COMMAND_LINE)


def _shown(text: str, limit: int | None) -> str:
    """Return text with its unprintable characters escaped, cut between two of them."""
    if limit is not None:
        text = text[: limit + 1]
    text = _LIKE_ESCAPE.sub(r"\\x5c", text)
    if not text.isprintable():
        text = "".join(each if each.isprintable() else _escaped(each) for each in text)
    if limit is None or len(text) <= limit:
        return text
    room = limit - len(_MORE)
    cut = text[:room]
    half = _HALF.search(cut)
    return (cut if half is None else cut[: half.start()]) + _MORE


def _escaped(character: str) -> str:
    """Return one character as the escapes of its bytes."""
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def _masked(words: Iterable[str], depth: int) -> Iterator[str]:
    """Yield the words of a command line without its secrets."""
    is_next, letters = False, ("", "")
    for word in words:
        bare = word.strip(_QUOTES)
        letters = _LETTERS.get(bare.rpartition("/")[2], letters)
        shown, follows = _word(word, bare, letters, depth)
        if is_next:  # also where it looks like the name of another secret
            shown = bare if bare.lower() in _SCHEMES else MASK
        is_next = follows
        yield shown


def _word(word: str, bare: str, letters: tuple[str, str], depth: int) -> tuple[str, bool]:
    """Return a word without its secrets, and whether the next one is a secret."""
    if _OPTION.fullmatch(bare) and (found := _option(bare, letters)) is not None:
        return found
    begun = _ASSIGNED.match(bare)
    if begun is not None and _is_secret(begun[1]):
        return _cut(bare, begun.end())
    if len(bare.split(maxsplit=1)) > 1:
        inner = _SHELL_WORD.findall(bare) if depth < _DEEPEST else bare.split()
        return " ".join(_masked(inner, depth + 1)), False
    if (attached := _attached(bare, letters)) is not None:
        return attached, False
    for found_name in _ASSIGNED.finditer(word):
        if _is_secret(found_name[1]):
            return _cut(word, found_name.end())
    for shape, instead in _SHAPES:
        word = shape.sub(instead, word)
    return word, bare.lower() in _SCHEMES


def _is_secret(name: str) -> bool:
    """Return whether what has this name is a secret."""
    return _SECRET.search(name) is not None and _WHERE.search(name) is None


def _cut(word: str, at: int) -> tuple[str, bool]:
    """Return a word whose secret begins there; where it ends there, the secret is the next word."""
    has_value = bool(word[at:].strip(_QUOTES))
    return (word[:at] + MASK if has_value else word), not has_value


def _option(word: str, letters: tuple[str, str]) -> tuple[str, bool] | None:
    """Return an option without a value that is told by its name; None for one that says nothing."""
    is_long = word.startswith("--")
    if is_long and word in {"--user", "--proxy-user"} and letters[0]:
        return word, True
    if _is_secret(word.lstrip("-")) and (is_long or len(word) > 3):
        return word, True
    if not is_long and word[1:].isalpha() and word[-1] in letters[0]:
        return word, True
    return None


def _attached(word: str, letters: tuple[str, str]) -> str | None:
    """Return a word of options of one letter, one of which has its secret behind it; None for another word."""
    if not word.startswith("-") or word.startswith("--"):
        return None
    at = next((i for i, each in enumerate(word) if each in letters[1]), None)
    return None if at is None or at == len(word) - 1 else word[: at + 1] + MASK
