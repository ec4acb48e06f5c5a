// English; each key is in ja.ts, too.

export const en = {
  "common.cancel": "Cancel",
  "common.busy": "Working…",
} as const satisfies Record<string, string>;
