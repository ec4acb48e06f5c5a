"""What can be asked aloud, and the words of the answers, by language.

The sentences are templates of hassil's: (one|another), [left out], {anything}.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    """One language's."""

    most_data: tuple[str, ...]
    quarantined: tuple[str, ...]
    how_many: tuple[str, ...]

    used_most: str
    used_none: str
    is_quarantined: str
    is_restricted: str
    is_free: str
    is_unknown: str
    online: str
    none_known: str
    not_reachable: str


_DEVICES_JA: Final = "(機器|デバイス|端末)"
_MOST_JA: Final = "(一番|いちばん|最も|もっとも)"

LANGUAGES: Final[Mapping[str, Words]] = {
    "en": Words(
        most_data=(
            "(which|what) device [has] used [the] most data [today]",
            "(which|what) device uses [the] most data [today]",
        ),
        quarantined=(
            "is [the|my] {device} [in] (quarantine|quarantined)",
            "is [the|my] {device} cut off from the (network|internet)",
        ),
        how_many=(
            "how many [network] devices are (online|connected|on [the|my] network) [now|right now]",
        ),
        used_most="{name} used the most data today: {amount}.",
        used_none="No device has used any data today.",
        is_quarantined="Yes, {name} is quarantined.",
        is_restricted="No, {name} is not quarantined, but there is another rule on it.",
        is_free="No, {name} is not quarantined.",
        is_unknown="No device that is exposed to me is called {name}.",
        online="{count} of {total} devices are online.",
        none_known="No device of the network is exposed to me. Expose one of its entities, such as its presence,"
        " in Settings, Voice assistants, Expose.",
        not_reachable="Hearthwall's sensor cannot be reached.",
    ),
    "ja": Words(
        most_data=(
            f"今日{_MOST_JA}(データ|通信)[量]を(使った|使っている){_DEVICES_JA}(は|を教えて)"
            "[何|なに|どれ][ですか]",
            f"今日{_MOST_JA}(データ|通信)[量]が多い{_DEVICES_JA}(は|を教えて)[何|なに|どれ][ですか]",
        ),
        quarantined=(
            "{device}(は|が)隔離(されている|されてる|されています|中|中です)[か]",
            "{device}(を|は)隔離している[か]",
        ),
        how_many=(
            f"(オンライン|接続中)の{_DEVICES_JA}は何台[ある|あります|です][か]",
            f"何台の{_DEVICES_JA}が(オンライン|接続中|つながっている|つながっています)[です][か]",
        ),
        used_most="今日最もデータを使ったのは{name}で、{amount}です。",
        used_none="今日データを使ったデバイスはありません。",
        is_quarantined="はい、{name}は隔離されています。",
        is_restricted="いいえ、{name}は隔離されていませんが、別のルールが適用されています。",
        is_free="いいえ、{name}は隔離されていません。",
        is_unknown="公開されているデバイスの中に、{name}という名前のものは見つかりません。",
        online="{total}台中{count}台がオンラインです。",
        none_known="音声アシスタントに公開されているネットワークのデバイスがありません。"
        "「設定」→「音声アシスタント」→「公開」で、デバイスの「在宅」などのエンティティを公開してください。",
        not_reachable="Hearthwallのセンサーに接続できません。",
    ),
}
