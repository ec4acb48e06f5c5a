"""Command lines and paths of processes as they are shown: printable, short, and without secrets."""

import string
import time

import pytest
from hypothesis import example, given, strategies

from hearthwall_sensor.processes.masking import (
    MAX_COMMAND_LINE,
    READ_BYTES,
    command_line,
    original,
    printable,
)

SECRET = "hunter2hunter2"
MASKED = [
    ("mysql -u root --password=%s shop", "mysql -u root --password=*** shop"),
    ("mysql -u root -p%s shop", "mysql -u root -p*** shop"),
    ("/usr/bin/mysqldump -uroot -p%s", "/usr/bin/mysqldump -uroot -p***"),
    ("sudo mariadb -p%s", "sudo mariadb -p***"),
    ("foo --password %s --verbose", "foo --password *** --verbose"),
    ("foo --token %s", "foo --token ***"),
    ("foo --secret=%s", "foo --secret=***"),
    ("foo --api-key %s", "foo --api-key ***"),
    ("foo --apikey=%s", "foo --apikey=***"),
    ("foo --client-secret %s", "foo --client-secret ***"),
    ("gpg --passphrase %s -d file", "gpg --passphrase *** -d file"),
    ("foo -password %s", "foo -password ***"),
    ("env DB_PASSWORD=%s GITHUB_TOKEN=%s make", "env DB_PASSWORD=*** GITHUB_TOKEN=*** make"),
    ("env KEY=%s make", "env KEY=*** make"),
    ("java -Dspring.datasource.password=%s -jar a.jar", None),
    ("curl -u admin:%s https://h/", "curl -u *** https://h/"),
    ("curl -sSu admin:%s https://h/", "curl -sSu *** https://h/"),
    ("curl -uadmin:%s https://h/", "curl -u*** https://h/"),
    ("curl --user admin:%s https://h/", "curl --user *** https://h/"),
    ("curl https://admin:%s@host/path", "curl https://admin:***@host/path"),
    ("curl https://host/?access_token=%s", "curl https://host/?access_token=***"),
    ("git clone https://ghp_%s0123456789@github.com/a/b", None),
    ("redis-cli -a %s ping", "redis-cli -a *** ping"),
    ("sshpass -p %s ssh host", "sshpass -p *** ssh host"),
    ("docker login -u me -p %s registry", "docker login -u me -p *** registry"),
    ("openssl enc -pass pass:%s", None),
    ("mosquitto_pub -u me -P %s -t a", "mosquitto_pub -u me -P *** -t a"),
    ("snmpget -v2c -c %s host", "snmpget -v2c -c *** host"),
    ("psql postgresql://me:%s@db/shop", "psql postgresql://me:***@db/shop"),
    ("psql host=db password=%s user=me", "psql host=db password=*** user=me"),
    ("foo --token --password %s", None),
    ("foo Bearer %s", "foo Bearer ***"),
    ("foo Authorization: Bearer %s", "foo Authorization: Bearer ***"),
]


@pytest.mark.parametrize(("line", "shown"), MASKED, ids=lambda each: str(each)[:40])
def test_secrets_are_masked(line: str, shown: str | None) -> None:
    words = [word.replace("%s", SECRET).encode() for word in line.split(" ")]
    text = command_line(words)
    assert SECRET not in text
    assert "***" in text
    if shown is not None:
        assert text == shown


WHOLE_WORDS = [
    ["curl", "-H", f"Authorization: Bearer {SECRET}", "https://h/"],
    ["curl", "-H", f"authorization:\tBasic {SECRET}", "https://h/"],
    ["curl", "-H", f"X-Api-Key: {SECRET}"],
    ["curl", "-d", f'{{"user": "me", "password": "{SECRET}"}}', "https://h/"],
    ["sh", "-c", f"mysql -p{SECRET} shop | gzip"],
    ["sh", "-c", f"curl -H 'Authorization: Bearer {SECRET}' https://h/"],
    ["ssh", "host", f'sh -c "curl -H \\"Authorization: Bearer {SECRET}\\" https://h/"'],
    ["ssh", "host", f"""sh -c 'PASSWORD="a {SECRET}" make'"""],
    ["sh", "-c", f"exec foo --password '{SECRET} {SECRET}'"],
    ["foo", f"--password={SECRET} and {SECRET}"],
    ["foo", "--password", f"{SECRET} and {SECRET}"],
    [f"postgres: worker password={SECRET} idle"],
    ["sh", "-c", f"it's --password {SECRET}"],
    ["sh", "-c", f"true\nexport TOKEN={SECRET}\nmake"],
]


@pytest.mark.parametrize("words", WHOLE_WORDS, ids=lambda each: " ".join(each)[:40])
def test_secrets_within_words_are_masked(words: list[str]) -> None:
    text = command_line(each.encode() for each in words)
    assert SECRET not in text
    assert text.startswith(words[0][:4])


PLAIN = [
    "/usr/sbin/sshd -D",
    "ssh -p 2222 me@host",
    "docker run -p 80:80 nginx",
    "python3 -m http.server 8080",
    "unbound -d -c /etc/unbound.conf",
    "foo --password-file /run/secret.txt",
    "foo --token-file=/run/t",
    "mkdir -p /tmp/a",
    "wget https://host/a@2x.png",
    "grep \\.conf$ file",
]


@pytest.mark.parametrize("line", PLAIN)
def test_what_is_no_secret_is_shown(line: str) -> None:
    assert command_line(each.encode() for each in line.split(" ")) == line


secrets = strategies.text(string.ascii_letters + string.digits, min_size=9, max_size=40).map(
    lambda text: f"Q{text}Z"
)
forms = strategies.sampled_from(
    [
        *(f"--{name}=%s" for name in ("password", "token", "db-passphrase", "api_key", "SECRET")),
        *("DB_PASSWORD=%s", "X_TOKEN=%s", "https://u:%s@h/", "Authorization: Bearer %s", "pass:%s"),
    ]
)
noise = strategies.binary(max_size=30).map(lambda each: each.replace(b"\0", b""))


@given(strategies.lists(noise, max_size=6), forms, secrets, strategies.lists(noise, max_size=3))
@example([b"sh", b"-c"], "DB_PASSWORD=%s", "Qhunter2hunter2Z", [b"\xff"])
def test_no_secret_comes_through_whatever_stands_around_it(
    before: list[bytes], form: str, secret: str, after: list[bytes]
) -> None:
    text = command_line([*before, form.replace("%s", secret).encode(), *after])
    assert secret not in text
    assert len(text) <= MAX_COMMAND_LINE
    assert text.isprintable()


@given(
    strategies.lists(noise, max_size=6),
    strategies.sampled_from(["--password", "--token", "-passphrase", "--api-key", "--secret"]),
    secrets,
)
def test_no_secret_in_the_next_word_comes_through(
    before: list[bytes], option: str, secret: str
) -> None:
    assert secret not in command_line([*before, option.encode(), secret.encode()])


@given(strategies.lists(strategies.binary(max_size=600), max_size=20))
def test_any_command_line_is_printable_and_bounded(words: list[bytes]) -> None:
    text = command_line(words)
    assert len(text) <= MAX_COMMAND_LINE
    assert text.isprintable()


@given(strategies.binary(max_size=300))
@example(b"/tmp/\\xff")
@example(b"/tmp/\xff")
@example(b"\\x5cxff")
def test_a_path_as_text_says_which_bytes_it_was(path: bytes) -> None:
    text = printable(path)
    assert text.isprintable()
    assert original(text) == path


@given(strategies.binary(max_size=100), strategies.integers(2, 40))
def test_a_cut_text_is_no_longer_than_asked_and_ends_in_no_half_escape(
    data: bytes, limit: int
) -> None:
    text = printable(data, limit)
    assert len(text) <= limit
    if text != printable(data):
        assert text.endswith("…")
        assert printable(data).startswith(text[:-1])
        assert original(text[:-1]) == data[: len(original(text[:-1]))]


def test_control_characters_and_what_turns_text_are_escaped() -> None:
    text = command_line([b"foo", b"\x1b]0;pwned\x07", "\u202egnp.exe".encode(), b"a\nb", b"\x9b2J"])
    assert text == r"foo \x1b]0;pwned\x07 \xe2\x80\xaegnp.exe a b \x9b2J"


@pytest.mark.parametrize(
    "word",
    [
        b"a" * 131_072,
        b"password" * 16_384,
        b"=" * 131_072,
        b"://a:" * 26_000,
        b"'" * 131_071,
        b'" ' * 65_536,
        b"\\x" * 65_536,
        b"-" * 131_072,
        b"Bearer " * 18_000,
        b"a b" * 40_000,
    ],
    ids=lambda each: each[:9].decode(),
)
def test_a_command_line_of_128_kib_takes_no_time(word: bytes) -> None:
    began = time.process_time()
    for words in ([word], [b"x", *word.split(b" ")], [b"sh", b"-c", b"'" + word]):
        text = command_line(words)
        assert len(text) <= MAX_COMMAND_LINE
        assert text.isprintable()
    assert time.process_time() - began < 1.0


def test_what_was_not_looked_at_is_said_to_be_missing() -> None:
    assert command_line([b"foo"], has_more=True) == "foo…"
    assert command_line([b"foo", b"a" * READ_BYTES]).endswith("…")
    assert command_line([b"foo", b"", b"bar"]) == "foo '' bar"
