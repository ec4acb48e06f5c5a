// What the device view asks for beside the live row: usage, details, events and statistics.

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { DOMAIN, errorText, type HomeAssistant, isAdmin } from "../hass.js";
import { subscribeLasting } from "../lasting.js";
import type { Block, DeviceDetails, Event, Events, Usage } from "../messages.js";
import { rulesOf } from "../orders.js";

const REFRESH_MS = 30_000;
const DAY = 86_400;
/** Statistics that begin so much later than a day ago began in between. */
const SHORTER = 15 * 60_000;
const MAX_EVENTS = 20;
const MAX_PEERS = 12;

/** What was moved in a span of time that begins at `start`, in milliseconds. */
export interface Span {
  start: number;
  download: number;
  upload: number;
}

interface Statistic {
  start: number;
  change?: number | null;
}

type Totals = { download?: string; upload?: string };

/** Return the device's sensors that never fall, whose statistics tell what was moved when. */
export function totals(hass: Pick<HomeAssistant, "entities">, deviceId: string): Totals {
  const found: Totals = {};
  for (const entity of Object.values(hass.entities)) {
    if (entity.device_id !== deviceId || entity.platform !== DOMAIN) continue;
    if (entity.translation_key === "download_total") found.download = entity.entity_id;
    if (entity.translation_key === "upload_total") found.upload = entity.entity_id;
  }
  return found;
}

/** Sum statistics of five minutes up into spans of `minutes`, from `begin` on, without gaps. */
export function spans(
  download: readonly Statistic[],
  upload: readonly Statistic[],
  begin: number,
  end: number,
  minutes: number,
): Span[] {
  const length = minutes * 60_000;
  const first = Math.floor(begin / length);
  const count = Math.floor(end / length) - first + 1;
  const all: Span[] = Array.from({ length: count }, (_, index) => ({
    start: (first + index) * length,
    download: 0,
    upload: 0,
  }));
  for (const [name, statistics] of [
    ["download", download],
    ["upload", upload],
  ] as const) {
    for (const { start, change } of statistics) {
      const span = all[Math.floor(start / length) - first];
      if (span) span[name] += Math.max(0, change ?? 0);
    }
  }
  return all;
}

/** Return a gateway's rules on all traffic of what they are on. */
async function wholeRules(hass: HomeAssistant, entryId: string): Promise<ReadonlyMap<string, Block>> {
  const whole = (await rulesOf(hass, entryId)).filter(({ transport, port }) => transport === null && port === null);
  return new Map(whole.map((block) => [block.target, block]));
}

export class DeviceData implements ReactiveController {
  details: DeviceDetails | undefined;
  usage: Usage | undefined;
  /** The rules of the device's gateway, by what they are on. */
  rules: ReadonlyMap<string, Block> = new Map();
  /** The newest first. */
  events: readonly Event[] | undefined;
  history: readonly Span[] | undefined;
  /** When the statistics began, in milliseconds, if they do not reach a day back. */
  began: number | undefined;
  problem = "";

  private deviceId: string | undefined;
  private endEvents: (() => void) | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;
  private asked = 0;

  constructor(
    private readonly host: ReactiveControllerHost & {
      hass?: HomeAssistant | undefined;
      deviceId?: string | undefined;
      isConnected: boolean;
    },
  ) {
    host.addController(this);
  }

  hostUpdate(): void {
    if (this.host.isConnected && this.host.hass && this.host.deviceId !== this.deviceId) this.begin(this.host.hass);
  }

  hostConnected(): void {
    this.host.requestUpdate();
  }

  hostDisconnected(): void {
    this.end();
    this.deviceId = undefined;
  }

  /** Ask again now, such as after an order. */
  async refresh(): Promise<void> {
    const { hass, deviceId } = this.host;
    if (!hass || !deviceId) return;
    const mine = ++this.asked;
    const parts: [keyof Pick<this, "details" | "usage" | "history" | "rules">, Promise<unknown>][] = [
      ["history", this.askHistory(hass, deviceId)],
    ];
    if (isAdmin(hass)) {
      const device = { device_id: deviceId };
      const details = hass.callWS<DeviceDetails>({ type: "hearthwall/device", ...device });
      parts.push(
        ["details", details],
        ["rules", details.then(({ entry_id: entryId }) => wholeRules(hass, entryId))],
        [
          "usage",
          hass.callWS<Usage>({
            type: "hearthwall/usage",
            by: ["peer", "country"],
            since: DAY,
            limit: MAX_PEERS,
            ...device,
          }),
        ],
      );
    }
    // Each is shown as soon as it is there; what failed keeps its last answer
    const answers = parts.map(async ([name, answer]) => {
      const value = await answer;
      if (mine !== this.asked) return;
      this[name] = value as never;
      this.host.requestUpdate();
    });
    const problems = (await Promise.allSettled(answers)).flatMap((each) =>
      each.status === "rejected" ? [errorText(each.reason)] : [],
    );
    if (mine !== this.asked) return;
    this.problem = problems[0] ?? "";
    this.host.requestUpdate();
  }

  private begin(hass: HomeAssistant): void {
    this.end();
    this.deviceId = this.host.deviceId;
    this.details = this.usage = this.events = this.history = undefined;
    this.rules = new Map();
    if (!this.deviceId) return;
    void this.refresh();
    this.timer = setInterval(() => document.visibilityState !== "hidden" && void this.refresh(), REFRESH_MS);
    if (!isAdmin(hass)) return;
    this.endEvents = subscribeLasting<Events>(
      hass.connection,
      { type: "hearthwall/subscribe_events", device_id: this.deviceId, limit: MAX_EVENTS },
      { message: ({ events }) => this.receive(events) },
    );
  }

  private end(): void {
    this.asked++;
    clearInterval(this.timer);
    this.endEvents?.();
    this.endEvents = undefined;
  }

  private receive(events: readonly Event[]): void {
    // After a loss the newest are told again, and an event that goes on is told with its new count
    const known = new Map((this.events ?? []).map((event) => [event.seq, event]));
    for (const event of events) known.set(event.seq, event);
    this.events = [...known.values()].sort((one, other) => other.seq - one.seq).slice(0, MAX_EVENTS);
    this.host.requestUpdate();
  }

  private async askHistory(hass: HomeAssistant, deviceId: string): Promise<readonly Span[]> {
    const { download, upload } = totals(hass, deviceId);
    const ids = [download, upload].filter((id) => id !== undefined);
    if (!ids.length || !hass.config.components.includes("recorder")) return [];
    const end = Date.now();
    const begin = end - DAY * 1000;
    const answer = await hass.callWS<Record<string, Statistic[]>>({
      type: "recorder/statistics_during_period",
      start_time: new Date(begin).toISOString(),
      end_time: new Date(end).toISOString(),
      statistic_ids: ids,
      period: "5minute",
      types: ["change"],
      units: { information: "B" },
    });
    const of = (id: string | undefined) => (id === undefined ? [] : (answer[id] ?? []));
    const first = Math.min(...ids.flatMap((id) => of(id).map(({ start }) => start)));
    this.began = Number.isFinite(first) && first > begin + SHORTER ? first : undefined;
    const all = spans(of(download), of(upload), begin, end, 15);
    return all.some((span) => span.download + span.upload > 0) ? all : [];
  }
}
