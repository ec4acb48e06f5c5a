// The events of all gateways, as they are told while a card is in a page.

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { type Connection, errorText, type HomeAssistant, isAdmin, isUnknownCommand, type Unsubscribe } from "../hass.js";
import type { Events, Severity } from "../messages.js";
import { MOST, Timeline } from "./timeline.js";

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;

/** What is asked for; the newest so many of each gateway. */
export interface Wanted {
  entry_id?: string | undefined;
  device_id?: string | undefined;
  severity?: Severity | undefined;
  limit: number;
}

/** `waiting` for the first answer, `live`, `offline` without Home Assistant, `absent` without the integration. */
export type FeedPhase = "waiting" | "live" | "offline" | "absent" | "failed";

interface Host extends ReactiveControllerHost {
  hass?: HomeAssistant | undefined;
}

/** Subscribes, again and again until it works; what an older subscription still says counts no more. */
export class EventsFeed implements ReactiveController {
  readonly timeline = new Timeline();
  phase: FeedPhase = "waiting";
  reason = "";
  /** Whether there may be older ones than those that were asked for. */
  hasOlder = false;
  private wanted: Wanted | undefined;
  private connection: Connection | undefined;
  private unsubscribe: Unsubscribe | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private pause = FIRST_RETRY_MS;
  private attempt = 0;
  private inPage = false;
  /** Gateways that have told what there is; what they tell then is new. */
  private readonly told = new Set<string>();

  /** `mustHold` says whether new ones shall wait. */
  constructor(
    private readonly host: Host,
    private readonly mustHold: () => boolean,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.inPage = true;
    this.begin();
  }

  hostUpdate(): void {
    if (this.inPage && this.host.hass && this.host.hass.connection !== this.connection) this.begin();
  }

  hostDisconnected(): void {
    this.inPage = false;
    this.end();
    this.connection?.removeEventListener("ready", this.onReady);
    this.connection?.removeEventListener("disconnected", this.onDisconnected);
    this.connection = undefined;
  }

  /** Ask for other events; those that are shown stay until others are there. */
  want(wanted: Wanted): void {
    if (JSON.stringify(wanted) === JSON.stringify(this.wanted)) return;
    this.wanted = wanted;
    this.begin();
  }

  private begin(): void {
    const { hass } = this.host;
    if (!this.inPage || !hass || !this.wanted || !isAdmin(hass)) return;
    if (this.connection !== hass.connection) {
      this.connection = hass.connection;
      this.connection.addEventListener("ready", this.onReady);
      this.connection.addEventListener("disconnected", this.onDisconnected);
    }
    this.end();
    this.pause = FIRST_RETRY_MS;
    if (this.connection.connected === false) this.onDisconnected();
    else void this.subscribe();
  }

  private end(): void {
    this.attempt++;
    clearTimeout(this.retry);
    const { unsubscribe } = this;
    this.unsubscribe = undefined;
    // Over a lost connection there is nobody to tell
    if (unsubscribe) void Promise.resolve(unsubscribe()).catch(() => undefined);
  }

  private readonly onReady = (): void => this.begin();

  private readonly onDisconnected = (): void => {
    this.attempt++;
    clearTimeout(this.retry);
    this.unsubscribe = undefined;
    this.phase = "offline";
    this.host.requestUpdate();
  };

  private async subscribe(): Promise<void> {
    const attempt = ++this.attempt;
    const said = Object.entries(this.wanted!).filter(([, value]) => value !== undefined);
    this.told.clear();
    this.hasOlder = false;
    try {
      const unsubscribe = await this.connection!.subscribeMessage<Events>(
        (message) => attempt === this.attempt && this.receive(message),
        { type: "hearthwall/subscribe_events", ...Object.fromEntries(said) },
        { resubscribe: false },
      );
      if (attempt !== this.attempt) {
        void Promise.resolve(unsubscribe()).catch(() => undefined);
        return;
      }
      this.unsubscribe = unsubscribe;
      this.phase = "live";
    } catch (error) {
      if (attempt !== this.attempt) return;
      this.phase = isUnknownCommand(error) ? "absent" : "failed";
      this.reason = errorText(error);
      // After a restart Home Assistant takes connections before it has loaded the integration
      this.retry = setTimeout(() => void this.subscribe(), this.pause);
      this.pause = Math.min(this.pause * 2, LAST_RETRY_MS);
    }
    this.host.requestUpdate();
  }

  private receive({ type, entry_id: entryId, events }: Events): void {
    if (type !== "events") return;
    const { limit } = this.wanted!;
    if (!this.told.has(entryId)) {
      this.told.add(entryId);
      this.hasOlder ||= events.length >= limit && limit < MOST;
    }
    this.timeline.receive(events, this.timeline.events.length > 0 && this.mustHold());
    this.phase = "live";
    this.host.requestUpdate();
  }
}
