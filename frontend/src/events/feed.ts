// The events of all gateways, as they are told while a card is in a page.

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { type Connection, errorText, type HomeAssistant, isAdmin, isUnknownCommand } from "../hass.js";
import { subscribeLasting } from "../lasting.js";
import type { Events, Severity } from "../messages.js";
import { MOST, Timeline } from "./timeline.js";

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

/** Subscribes while its element is in a page, and anew whenever something else is wanted. */
export class EventsFeed implements ReactiveController {
  readonly timeline = new Timeline();
  phase: FeedPhase = "waiting";
  reason = "";
  /** Whether there may be older ones than those that were asked for. */
  hasOlder = false;
  private wanted: Wanted | undefined;
  private connection: Connection | undefined;
  private end: (() => void) | undefined;
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
    this.end?.();
    this.end = this.connection = undefined;
  }

  /** Ask for other events; those that are shown stay until others are there, unless all begins `anew`. */
  want(wanted: Wanted, anew = false): void {
    if (JSON.stringify(wanted) === JSON.stringify(this.wanted)) return;
    this.wanted = wanted;
    if (anew) {
      this.timeline.clear();
      this.phase = "waiting";
    }
    this.begin();
  }

  private begin(): void {
    const { hass } = this.host;
    if (!this.inPage || !hass || !this.wanted || !isAdmin(hass)) return;
    this.end?.();
    this.connection = hass.connection;
    this.told.clear();
    this.hasOlder = false;
    const said = Object.entries(this.wanted).filter(([, value]) => value !== undefined);
    this.end = subscribeLasting<Events>(
      this.connection,
      { type: "hearthwall/subscribe_events", ...Object.fromEntries(said) },
      {
        message: (message) => this.receive(message),
        // What there is comes at once; without any gateway nothing does
        up: () => this.enter(this.told.size ? "live" : "waiting"),
        down: () => {
          this.told.clear();
          this.enter("offline");
        },
        refused: (error) => {
          this.reason = errorText(error);
          this.enter(isUnknownCommand(error) ? "absent" : "failed");
        },
      },
    );
  }

  private enter(phase: FeedPhase): void {
    this.phase = phase;
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
    this.enter("live");
  }
}
