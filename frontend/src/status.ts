// How a device stands, in one word: what the kernel does to it comes before whether it is there.

import type { Key } from "./localize.js";
import { optionalKey } from "./localize.js";
import type { Row } from "./messages.js";

/** How it looks: `bad` is cut off, `held` has less than usual. */
export type Tone = "good" | "none" | "held" | "bad";

export interface Status {
  key: Key;
  tone: Tone;
  /** When it ends by itself, in seconds since the epoch. */
  expires: number | null;
}

export function statusOf({ rule, quarantined, online }: Row): Status {
  if (quarantined) return { key: "mode.isolate", tone: "bad", expires: rule?.expires ?? null };
  if (rule) {
    const tone = rule.mode === "audit" ? "none" : "held";
    return { key: optionalKey(`mode.${rule.mode}`) ?? "mode.other", tone, expires: rule.expires };
  }
  return online ? { key: "status.online", tone: "good", expires: null } : { key: "status.away", tone: "none", expires: null };
}

/** The order of statuses in a list: what asks for attention comes first. */
export function urgency(row: Row): number {
  if (row.quarantined) return 0;
  if (row.rule) return 1;
  return row.online ? 2 : 3;
}
