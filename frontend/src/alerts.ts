// What asks for somebody's attention: severe events of the last day that nobody has accepted, by device.

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { type Connection, type HomeAssistant, isAdmin } from "./hass.js";
import { subscribeLasting } from "./lasting.js";
import type { AcceptedEvents, Event, Events } from "./messages.js";
import type { LiveDevice } from "./store.js";

const DAY = 86_400;
const MOST = 200;
/** Somebody else may accept, too. */
const REFRESH_MS = 15_000;
const LINGER_MS = 30_000;

export interface Alert {
  /** The gravest of them, and of those the newest. */
  event: Event;
  count: number;
}

const when = ({ time, last_time: last }: Event) => last ?? time;
const isGraver = (one: Event, other: Event) =>
  one.severity === other.severity ? when(one) > when(other) : one.severity === "critical";
const keyOf = ({ entry_id: entryId, seq }: Pick<Event, "entry_id" | "seq">) => `${entryId} ${seq}`;

/** One for a page: asks with its first listener, and ends a while after its last. */
export class Alerts {
  private readonly events = new Map<string, Event>();
  private accepted: ReadonlySet<string> = new Set();
  private readonly listeners = new Set<() => void>();
  private end: (() => void) | undefined;
  private lingering: ReturnType<typeof setTimeout> | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly hass: HomeAssistant) {}

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    clearTimeout(this.lingering);
    if (!this.end) this.start();
    return () => {
      if (!this.listeners.delete(listener) || this.listeners.size) return;
      this.lingering = setTimeout(() => this.stop(), LINGER_MS);
    };
  }

  /** Return what there is of a device. */
  of({ entryId, row }: LiveDevice): Alert | undefined {
    return summed(this.open((event) => event.entry_id === entryId && event.mac === row.mac));
  }

  /** Return what there is of a gateway, or of all, its own programs among them. */
  all(entryId?: string): Alert | undefined {
    return summed(this.open((event) => !entryId || event.entry_id === entryId));
  }

  /** Ask again what was accepted, such as after an order. */
  async refresh(): Promise<void> {
    if (!this.events.size) return;
    try {
      const { accepted } = await this.hass.callWS<AcceptedEvents>({ type: "hearthwall/accepted" });
      this.accepted = new Set(accepted.map(keyOf));
      this.told();
    } catch {
      // Who shows the events says what is wrong; a mark too many does no harm
    }
  }

  private open(which: (event: Event) => boolean): Event[] {
    const since = Date.now() / 1000 - DAY;
    return [...this.events.values()].filter(
      (event) => which(event) && when(event) > since && !this.accepted.has(keyOf(event)),
    );
  }

  private start(): void {
    this.end = subscribeLasting<Events>(
      this.hass.connection,
      { type: "hearthwall/subscribe_events", severity: "high", limit: MOST },
      { message: (message) => this.receive(message) },
    );
    this.timer = setInterval(() => document.visibilityState !== "hidden" && void this.refresh(), REFRESH_MS);
  }

  private stop(): void {
    this.end?.();
    this.end = undefined;
    clearInterval(this.timer);
    this.events.clear();
  }

  private receive({ type, events }: Events): void {
    if (type !== "events" || !events.length) return;
    for (const event of events) this.events.set(keyOf(event), event);
    // The oldest go first
    for (const key of [...this.events.keys()].slice(0, -MOST)) this.events.delete(key);
    void this.refresh();
    this.told();
  }

  private told(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

function summed(events: readonly Event[]): Alert | undefined {
  if (!events.length) return undefined;
  return { event: events.reduce((one, other) => (isGraver(other, one) ? other : one)), count: events.length };
}

const pages = new WeakMap<Connection, Alerts>();

/** Return the page's alerts; undefined for who may not see events. */
export function alertsOf(hass: HomeAssistant): Alerts | undefined {
  if (!isAdmin(hass)) return undefined;
  let alerts = pages.get(hass.connection);
  if (!alerts) pages.set(hass.connection, (alerts = new Alerts(hass)));
  return alerts;
}

/** Keeps an element listening while it is in the page; it renders after each change. */
export class Alerted implements ReactiveController {
  alerts: Alerts | undefined;
  private end: (() => void) | undefined;
  private inPage = false;

  constructor(private readonly host: ReactiveControllerHost & { hass?: HomeAssistant | undefined }) {
    host.addController(this);
  }

  hostConnected(): void {
    this.inPage = true;
    this.follow();
  }

  hostUpdate(): void {
    this.follow();
  }

  hostDisconnected(): void {
    this.inPage = false;
    this.end?.();
    this.end = this.alerts = undefined;
  }

  private follow(): void {
    const { hass } = this.host;
    const alerts = this.inPage && hass ? alertsOf(hass) : undefined;
    if (!alerts || alerts === this.alerts) return;
    this.end?.();
    this.alerts = alerts;
    this.end = alerts.listen(() => this.host.requestUpdate());
  }
}
