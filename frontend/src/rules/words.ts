// A rule in words: what it is on, what it does, why, for how long, and what it has dropped.

import { formatAgo, formatBytes, formatCount, formatDateTime, formatLeft } from "../format.js";
import type { HomeAssistant } from "../hass.js";
import { localizer, optionalKey } from "../localize.js";
import type { Block } from "../messages.js";
import type { LiveDevice } from "../store.js";

/** The reason that Home Assistant gives where nobody gives another. */
const OWN_REASON = "Quarantined from Home Assistant";
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;
const PROGRAM = /^(exe|dir|pid):(.*)$/s;

/** Return what a rule does; to which part of the traffic, if it is one. */
export function modeOf(hass: HomeAssistant, { target, mode, transport, port }: Block): string {
  const part = port === null ? (transport ?? "") : `${transport ?? ""}/${port}`;
  // Devices are quarantined, peers and programs are blocked
  const key = mode === "isolate" && !MAC.test(target) ? "rules.blocked" : (optionalKey(`mode.${mode}`) ?? "mode.other");
  return [localizer(hass)(key), part].filter(Boolean).join(" ");
}

/** Return why a rule was ordered: what Hearthwall says itself in the user's language, all else as somebody wrote it. */
export function reasonOf(hass: HomeAssistant, { reason }: Pick<Block, "reason">): string {
  const t = localizer(hass);
  if (reason === OWN_REASON) return t("rules.reason.quarantine");
  // The sensor's own answer to an event begins with its kind
  const [kind, ...rest] = reason.split(": ");
  const key = rest.length ? optionalKey(`kind.${kind}`) : undefined;
  return key ? `${t(key)}: ${rest.join(": ")}` : reason;
}

/** Return when a rule ends by itself, undefined for one that stays. */
export function leftOf(hass: HomeAssistant, { expires, confirm_by: confirm }: Block, now: number): string | undefined {
  const t = localizer(hass);
  if (confirm !== null) return t("rules.unconfirmed", { span: formatLeft(hass, confirm - now) });
  return expires === null ? undefined : t("common.left", { span: formatLeft(hass, expires - now) });
}

/** Return since when a rule holds, and why. */
export const sinceOf = (hass: HomeAssistant, block: Block): string =>
  [
    localizer(hass)("device.blocked_since", { since: formatDateTime(hass, block.created) }),
    reasonOf(hass, block),
  ]
    .filter(Boolean)
    .join(" · ");

/** Return what a rule has dropped, and when last. */
export function droppedOf(hass: HomeAssistant, block: Block, now: number): string {
  const t = localizer(hass);
  if (!block.packets) return t("device.blocked_nothing");
  const dropped = t(block.mode === "audit" ? "rules.audited" : "device.blocked_packets", {
    packets: formatCount(hass, block.packets),
    bytes: formatBytes(hass, block.bytes),
  });
  return block.last_hit === null
    ? dropped
    : `${dropped} · ${t("rules.last_hit", { ago: formatAgo(hass, block.last_hit, now) })}`;
}

export interface Named {
  name: string;
  /** What the rule says, where that is not the name. */
  more: string;
}

/** Return what a rule is on: a device or a program by its name, all else as it was ordered. */
export function targetOf(
  hass: HomeAssistant,
  { target }: Pick<Block, "target">,
  devices: Iterable<LiveDevice>,
): Named {
  for (const { row } of devices) {
    if (row.mac === target || row.addresses.includes(target)) return { name: row.name, more: target };
  }
  const [, kind, what] = PROGRAM.exec(target) ?? [];
  if (kind === "pid") return { name: localizer(hass)("rules.process", { pid: what! }), more: "" };
  if (what) return { name: what.split("/").filter(Boolean).at(-1) ?? what, more: what };
  return { name: target, more: "" };
}
