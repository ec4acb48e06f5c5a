// 日本語: ゲートウェイ

import type { enGateway } from "./en-gateway.js";

export const jaGateway: Record<keyof typeof enGateway, string> = {
  "gateway.name": "Hearthwall ゲートウェイ",
  "gateway.description": "ゲートウェイの状態です。接続、バージョン、監視中のインターフェース、フィードの検出数を表示します。",
  "gateway.connected": "接続済み",
  "gateway.silent": "センサーが応答していません",
  "gateway.admin": "ゲートウェイの状態は管理者だけに表示されます。",
  "gateway.sensor": "センサー",
  "gateway.integration": "統合",
  "gateway.uptime": "稼働時間",
  "gateway.memory": "メモリ",
  "gateway.lost": "取りこぼしたパケット",
  "gateway.interfaces": "監視中のインターフェース",
  "gateway.role.lan": "家庭内",
  "gateway.role.wan": "インターネット",
  "gateway.xdp.off": "XDP: 現在は不要",
  "gateway.xdp.native": "XDP: ドライバー",
  "gateway.xdp.generic": "XDP: 汎用",
  "gateway.xdp.foreign": "XDP: ほかのプログラムが使用中",
  "gateway.xdp.unavailable": "XDP: 利用不可 (tc で破棄)",
  "gateway.feeds": "フィード",
  "gateway.feeds_none": "フィードは設定されていません。",
  "gateway.feed.drop": "破棄",
  "gateway.feed.audit": "検出のみ",
  "gateway.feed.entries": "{count} 件",
  "gateway.feed.updated": "更新: {time}",
  "gateway.feed.hits": "検出 {packets} 件",
  "gateway.feed.no_hits": "検出なし",
};
