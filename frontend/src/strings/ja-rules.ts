// 日本語: 有効なルール

import type { enRules } from "./en-rules.js";

export const jaRules: Record<keyof typeof enRules, string> = {
  "rules.name": "Hearthwall ルール",
  "rules.description": "現在制限しているデバイス、通信相手、プログラムを表示します。開始時刻、理由、残り時間を確認し、その場で終了できます。",
  "rules.title": "有効なルール",
  "rules.none": "有効なルールはありません。すべての通信が通ります。",
  "rules.blocked": "ブロック中",
  "rules.end": "終了",
  "rules.end_named": "{name} のルールを終了",
  "rules.end_confirm": "終了する",
  "rules.show_rest": "{count} 件すべてを表示",
  "rules.process": "プロセス {pid}",
  "rules.unconfirmed": "確認しないと、残り {span} で終了します",
  "rules.audited": "{packets} パケット ({bytes}) を検出",
  "rules.last_hit": "最後: {ago}",
  "rules.unenforced": "現在カーネルで適用されていません。",
  "rules.reason.quarantine": "Home Assistant から隔離しました",
};
