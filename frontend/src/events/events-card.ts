// The timeline of what the sensors noticed: what it means, what it is based on, and what can be done about it.

import { mdiShieldCheckOutline } from "@mdi/js";
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { HearthwallConfirm } from "../dialog.js";
import { compareNames, formatTime } from "../format.js";
import { type ConfigForm, type GridOptions, type HomeAssistant, isAdmin } from "../hass.js";
import { localizer } from "../localize.js";
import type { Event } from "../messages.js";
import { navigate } from "../navigate.js";
import type { HearthwallNotice } from "../notice.js";
import { notConnected } from "../phase.js";
import { liveStore, type LiveStore } from "../store.js";
import { card, controls } from "../styles.js";
import { checked, DEFAULT_LIMIT, type EventsConfig, eventsForm } from "./config.js";
import { dayNamer } from "./days.js";
import { EventsFeed } from "./feed.js";
import { filters } from "./filters.js";
import { icon } from "./icons.js";
import { item } from "./item.js";
import { itemStyles } from "./item-styles.js";
import { OpenedEvents } from "./opened.js";
import { whoName } from "./orders.js";
import { eventsStyles } from "./styles.js";
import { byDay, choices, EVERYTHING, type Filter, filtered, keyOf, MOST, rankOf, whoOf } from "./timeline.js";

/** Scrolled down farther than this, the reader's place is kept. */
const AT_TOP = 8;

export class HearthwallEventsCard extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @state() private config: EventsConfig | undefined;
  @state() private filter: Filter = EVERYTHING;
  @state() private lost: readonly string[] = [];
  @query("hearthwall-confirm") private confirm!: HearthwallConfirm;
  @query("hearthwall-notice") private notice!: HearthwallNotice;
  @query(".list") private list?: HTMLElement | null;
  private limit = DEFAULT_LIMIT;
  private store: LiveStore | undefined;
  private endListening: (() => void) | undefined;
  /** When the newest happened that was there at first: what comes later is fresh. */
  private seen: number | undefined;
  private readonly opened = new OpenedEvents(this, (hass) => ({
    hass,
    store: this.store,
    confirm: this.confirm,
    notice: this.notice,
  }));
  private readonly feed = new EventsFeed(this, () => this.mustHold());

  static getConfigForm(): ConfigForm {
    return eventsForm();
  }

  static getStubConfig(): Omit<EventsConfig, "type"> {
    return { limit: DEFAULT_LIMIT };
  }

  setConfig(config: EventsConfig): void {
    this.config = checked(config);
    this.limit = config.limit ?? DEFAULT_LIMIT;
    this.filter = { ...EVERYTHING, severity: config.severity ?? "info" };
    this.want(true);
  }

  getCardSize(): number {
    return 8;
  }

  getGridOptions(): GridOptions {
    return { columns: 12, rows: 9, min_columns: 6, min_rows: 4 };
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.endListening?.();
    this.endListening = this.store = undefined;
  }

  private want(anew = false): void {
    const { config, filter, limit } = this;
    const severity = filter.severity === "info" ? undefined : filter.severity;
    this.feed.want({ entry_id: config?.entry_id, device_id: config?.device_id, severity, limit }, anew);
  }

  protected override willUpdate(_: PropertyValues): void {
    if (this.isConnected && this.hass && !this.store && isAdmin(this.hass)) {
      this.store = liveStore(this.hass.connection);
      this.endListening = this.store.listen(() => this.onLive());
    }
    if (this.feed.phase === "live") this.seen ??= this.feed.timeline.events[0]?.time ?? 0;
  }

  /** Which sensors are lost, and who is quarantined, shows; what moves does not. */
  private onLive(): void {
    const gateways = [...(this.store?.gateways.values() ?? [])];
    const lost = gateways
      .filter(({ connected, entryId }) => !connected && (this.config?.entry_id ?? entryId) === entryId)
      .map(({ name }) => name);
    if (lost.join("\n") !== this.lost.join("\n")) this.lost = lost;
    else if (this.opened.key || (this.store?.missing && this.feed.phase === "waiting")) this.requestUpdate();
  }

  private mustHold(): boolean {
    const { list } = this;
    return this.opened.key !== null || Boolean(list && (list.scrollTop > AT_TOP || list.matches(":focus-within")));
  }

  protected override render() {
    if (!this.config || !this.hass) return nothing;
    const t = localizer(this.hass);
    return html`
      <ha-card>
        <h2 class="card-title">${this.config.title ?? t("events.title")}</h2>
        ${this.trouble()} ${isAdmin(this.hass) ? this.timeline() : this.message(t("events.admin"))}
        <hearthwall-notice .hass=${this.hass}></hearthwall-notice>
        <hearthwall-confirm .hass=${this.hass}></hearthwall-confirm>
      </ha-card>
    `;
  }

  private message(text: string, more: unknown = nothing): TemplateResult {
    return html`<div class="message" role="status">${more}<p>${text}</p></div>`;
  }

  /** Return why what is shown may be old. */
  private trouble(): TemplateResult | typeof nothing {
    const t = localizer(this.hass);
    const { phase, timeline, reason } = this.feed;
    const notice = (text: string) => html`<p class="notice" role="status">${text}</p>`;
    if (!isAdmin(this.hass!)) return nothing;
    if (phase === "offline") return notice(t("events.offline"));
    if (phase === "failed" && timeline.events.length) return notice(t("events.failed", { reason }));
    if (this.lost.length) return notice(t("events.lost", { gateway: this.lost.join(", ") }));
    return nothing;
  }

  private timeline(): TemplateResult {
    const hass = this.hass!;
    const t = localizer(hass);
    const { timeline, phase, reason, hasOlder } = this.feed;
    if (!timeline.events.length) {
      if (phase === "absent") return this.message(t("common.absent"));
      if (phase === "failed") return this.message(t("events.failed", { reason }));
      if (phase === "waiting" && (this.lost.length || this.store?.missing)) return notConnected(hass);
      if (phase === "waiting" || phase === "offline") return this.message(t("common.loading"));
    }
    const events = filtered(timeline.events, this.filter);
    const waiting = filtered(timeline.waiting, this.filter).length;
    const shown = this.config!.filters === false ? events.slice(0, this.limit) : events;
    return html`
      ${this.config!.filters === false ? nothing : this.filters(timeline.events)}
      <div class="news" role="status">
        ${waiting
          ? html`<button class="main" @click=${this.showNew}>
              ${t(waiting === 1 ? "events.new.one" : "events.new", { count: waiting })}
            </button>`
          : nothing}
      </div>
      <div class="list">
        ${shown.length ? this.days(shown) : this.empty()}
        ${this.config!.filters !== false && hasOlder
          ? html`<button class="quiet older" @click=${this.loadOlder}>${t("events.older")}</button>`
          : nothing}
        ${this.config!.navigation_path
          ? html`<button class="quiet older" @click=${this.showAll}>${t("events.all")}</button>`
          : nothing}
      </div>
    `;
  }

  private days(events: readonly Event[]): TemplateResult[] {
    const hass = this.hass!;
    return byDay(events, dayNamer(hass)).map(
      ({ day, events: those }) => html`
        <h3>${day}</h3>
        <ul class="events">
          ${repeat(those, keyOf, (event) =>
            item(
              event,
              this.opened.viewOf(hass, event, {
                when: formatTime(hass, event.time),
                fresh: event.time > (this.seen ?? Infinity),
              }),
            ),
          )}
        </ul>
      `,
    );
  }

  private empty(): TemplateResult {
    const t = localizer(this.hass);
    const base = this.config?.severity ?? "info";
    const { severity, kind, who } = this.filter;
    if (severity === base && kind === null && who === null) {
      return this.message(t("events.none"), html`<span class="calm">${icon(mdiShieldCheckOutline)}</span>`);
    }
    return this.message(
      t("events.none_found"),
      html`<button class="quiet" @click=${() => this.choose({ ...EVERYTHING, severity: base })}>
        ${t("events.clear")}
      </button>`,
    );
  }

  private filters(events: readonly Event[]): TemplateResult {
    const hass = this.hass!;
    const compare = compareNames(hass);
    return filters(hass, {
      filter: this.filter,
      least: this.config?.severity ?? "info",
      who: this.config?.device_id ? [] : choices(events, whoOf, whoName, compare),
      kinds: choices(events, ({ kind }) => kind, ({ kind }) => kind, compare).map(({ id }) => id),
      onChange: (filter) => this.choose(filter),
    });
  }

  private choose(filter: Filter): void {
    const isMilder = rankOf(filter.severity) !== rankOf(this.filter.severity);
    this.filter = filter;
    this.opened.close();
    if (isMilder) this.want();
  }

  private readonly showNew = (): void => {
    this.opened.close();
    this.feed.timeline.release();
    this.requestUpdate();
    void this.updateComplete.then(() => {
      if (this.list) this.list.scrollTop = 0;
      // The button is gone: who was on it goes on at the newest
      this.renderRoot.querySelector<HTMLElement>(".line")?.focus({ preventScroll: true });
    });
  };

  private readonly loadOlder = (): void => {
    this.limit = Math.min(MOST, this.limit + (this.config?.limit ?? DEFAULT_LIMIT));
    this.want();
  };

  private readonly showAll = (): void => {
    navigate(this.config!.navigation_path!);
  };

  static override styles = [controls, card, itemStyles, eventsStyles];
}
