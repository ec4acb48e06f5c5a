// An event's evidence, read with care: it comes from another machine, and names in it from anybody.

import { applicationName } from "../applications.js";
import { formatBytes, formatCount, formatNumber, formatSpan } from "../format.js";
import type { HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import type { Event } from "../messages.js";
import { measureOf } from "./kinds.js";

/** Flows, processes, files and connections are shown up to so many of each. */
const MOST = 10;
/** Texts are shown up to so many characters. */
const LONGEST = 300;

type Wire = Readonly<Record<string, unknown>>;

export interface ShownFlow {
  peer: string;
  what: string;
  upload: number | null;
  download: number | null;
}

export interface ShownProcess {
  program: string;
  pid: number | null;
  commandLine: string;
}

export interface ShownFile {
  path: string;
  by: string;
}

export interface Evidence {
  detector: string;
  why: string;
  /** Label and text of what was measured, in their order. */
  measured: readonly (readonly [label: string, text: string])[];
  flows: readonly ShownFlow[];
  /** The youngest first: each was begun by the one after it. */
  processes: readonly ShownProcess[];
  files: readonly ShownFile[];
}

const isWire = (value: unknown): value is Wire => typeof value === "object" && value !== null && !Array.isArray(value);

const list = (value: unknown): readonly Wire[] => (Array.isArray(value) ? value.filter(isWire).slice(0, MOST) : []);

const number = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);

export function text(value: unknown): string {
  const said = typeof value === "string" || typeof value === "number" ? String(value) : "";
  return said.length > LONGEST ? `${said.slice(0, LONGEST)}…` : said;
}

/** Return what there is to show of an event's evidence. */
export function evidenceOf(hass: HomeAssistant, event: Event): Evidence {
  const { evidence } = event;
  return {
    detector: text(evidence["detector"]),
    why: text(evidence["why"]),
    measured: measured(hass, event),
    flows: [...list(evidence["flows"]), ...list(evidence["connections"])].slice(0, MOST).map(shownFlow),
    processes: list(evidence["chain"]).map((each) => ({
      program: text(each["executable"]),
      pid: number(each["pid"]),
      commandLine: text(each["command_line"]),
    })),
    files: list(evidence["files"]).map((each) => ({ path: text(each["path"]), by: text(each["by"]) })),
  };
}

function shownFlow(flow: Wire): ShownFlow {
  const peer = text(flow["peer_name"]) || text(flow["peer_address"]);
  const port = number(flow["peer_port"]);
  const application = text(flow["application"]);
  const what = [application === "unknown" ? "" : applicationName(application), text(flow["transport"]).toUpperCase()].filter(Boolean);
  return {
    peer: port ? `${peer.includes(":") ? `[${peer}]` : peer}:${port}` : peer,
    what: what.join(", "),
    upload: number(flow["upload_bytes"]),
    download: number(flow["download_bytes"]),
  };
}

/** Return what was measured, against what, and in which time. */
function measured(hass: HomeAssistant, { kind, subject, evidence }: Event): (readonly [string, string])[] {
  const t = localizer(hass);
  const measure = measureOf(kind, subject);
  const value = number(evidence["value"]);
  const rows: (readonly [string, string])[] = [];
  if (measure && value !== null) {
    const amount = (of: number) => (measure.unit ? formatBytes(hass, of * (measure.unit === "bytes" ? 1 : 1e6)) : count(hass, of));
    rows.push([t("events.measured"), t(measure.key, { value: amount(value) })]);
    const threshold = evidence["threshold"];
    const band = Array.isArray(threshold) && threshold.length === 2 ? threshold.map(number) : null;
    if (band && band[0] != null && band[1] != null) {
      rows.push([t("events.band"), t("events.band.text", { usual: amount(band[0]), most: amount(band[1]) })]);
    } else if (number(threshold) !== null && threshold !== 1) {
      rows.push([t("events.threshold"), amount(threshold as number)]);
    }
  }
  const window = number(evidence["window"]);
  if (window !== null && window >= 1) rows.push([t("events.window"), formatSpan(hass, window)]);
  return rows;
}

const count = (hass: HomeAssistant, value: number): string =>
  Number.isInteger(value) || Math.abs(value) >= 1000
    ? formatCount(hass, value)
    : formatNumber(hass, value, { maximumSignificantDigits: 3 });
