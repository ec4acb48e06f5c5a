// Which event of a list is open, what the sensor says of it, and what is ordered for it.

import { alertsOf } from "../alerts.js";
import type { Asking } from "../asking.js";
import { errorText, type HomeAssistant } from "../hass.js";
import type { Event, EventDetails } from "../messages.js";
import type { LiveStore } from "../store.js";
import type { Asked, Order } from "./details.js";
import type { ItemView } from "./item.js";
import { askAccept, askBlock, askCulprit, askStop } from "./orders.js";
import { keyOf } from "./timeline.js";

/** The page that the list is in, as it is now. */
export interface Page extends Asking {
  store: LiveStore | undefined;
}

/** The sensor alone knows whom an order may cut off: it is asked for each event that is opened. */
export class OpenedEvents {
  /** Which one is open. */
  key: string | null = null;
  private readonly asked = new Map<string, Asked>();
  private readonly accepted = new Set<string>();

  constructor(
    private readonly host: { requestUpdate(): void },
    private readonly page: (hass: HomeAssistant) => Page,
  ) {}

  close(): void {
    this.key = null;
    this.host.requestUpdate();
  }

  /** Return how an event is shown; `more` says what the list knows better. */
  viewOf(
    hass: HomeAssistant,
    event: Event,
    more: Pick<ItemView, "when"> & Partial<Pick<ItemView, "fresh" | "accepted">>,
  ): ItemView {
    const key = keyOf(event);
    return {
      hass,
      store: this.page(hass).store,
      open: this.key === key,
      fresh: false,
      asked: this.asked.get(key),
      accepted: this.accepted.has(key),
      ...more,
      onToggle: () => this.toggle(hass, event),
      onRetry: () => void this.ask(hass, event),
      onOrder: (order, details) => void this.order(hass, order, event, details),
    };
  }

  private toggle(hass: HomeAssistant, event: Event): void {
    const key = keyOf(event);
    this.key = this.key === key ? null : key;
    // Whom an order may hit was true when it was asked: nothing is offered before that is known anew
    this.asked.delete(key);
    if (this.key) void this.ask(hass, event);
    this.host.requestUpdate();
  }

  private note(event: Event, asked: Asked): void {
    this.asked.set(keyOf(event), asked);
    this.host.requestUpdate();
  }

  private async ask(hass: HomeAssistant, event: Event): Promise<void> {
    const { entry_id, seq } = event;
    const before = this.asked.get(keyOf(event));
    if (before && "problem" in before) this.note(event, undefined);
    try {
      this.note(event, await hass.callWS<EventDetails>({ type: "hearthwall/event", entry_id, seq }));
    } catch (error) {
      this.note(event, { problem: errorText(error) });
    }
  }

  private async order(hass: HomeAssistant, order: Order, event: Event, details: EventDetails): Promise<void> {
    const page = this.page(hass);
    const orders: Record<Order, () => Promise<unknown>> = {
      accept: () => this.accept(page, event),
      block: () => askBlock(page, event.entry_id, details.blockable_peer!),
      quarantine: () => askCulprit(page, page.store, event, details.culprit!),
      stop: () => askStop(page, event, details.program!),
    };
    await orders[order]();
  }

  private async accept(page: Page, event: Event): Promise<void> {
    const { hass } = page;
    const set = (is: boolean) => {
      this.setAccepted(event, is);
      void alertsOf(hass)?.refresh();
    };
    if (await askAccept(page, event, () => set(false))) set(true);
  }

  private setAccepted(event: Event, is: boolean): void {
    if (is) this.accepted.add(keyOf(event));
    else this.accepted.delete(keyOf(event));
    this.host.requestUpdate();
  }
}
