// 日本語: ダッシュボード

import type { enStrategy } from "./en-strategy.js";

export const jaStrategy: Record<keyof typeof enStrategy, string> = {
  "strategy.title": "Hearthwall",
  "strategy.description": "ご家庭のネットワークの全デバイス、通信量、イベント、ゲートウェイの状態をまとめて表示します。",
  "strategy.view.overview": "概要",
  "strategy.view.map": "マップ",
  "strategy.view.events": "イベント",
  "strategy.view.devices": "デバイス",
  "strategy.view.health": "ゲートウェイ",
  "strategy.newest": "最新のイベント",
  "strategy.entities": "エンティティ",
  "strategy.rates": "過去 24 時間",
  "strategy.no_area": "エリアなし",
  "strategy.gone": "このデバイスは Home Assistant から削除されています。",
  "strategy.welcome": "Hearthwall はまだ設定されていません",
  "strategy.welcome.text":
    "Hearthwall は、ゲートウェイでご家庭の通信を見守ります。統合を追加してゲートウェイのインターフェースを選ぶと、このダッシュボードが自動で作られます。",
  "strategy.welcome.link": "Hearthwall を追加",
};
