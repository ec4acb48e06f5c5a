// 日本語

import type { en } from "./en.js";

export const ja: Record<keyof typeof en, string> = {
  "common.cancel": "キャンセル",
  "common.busy": "処理中…",
};
