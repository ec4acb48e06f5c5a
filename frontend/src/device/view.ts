// One device, whole: live figures, its day, whom it talks to, what happened, what is blocked.

import { html, LitElement, nothing } from "lit";
import { property, query } from "lit/decorators.js";
import type { HearthwallConfirm } from "../dialog.js";
import { itemStyles } from "../events/item-styles.js";
import { OpenedEvents, type Page } from "../events/opened.js";
import { askBlock } from "../events/orders.js";
import { formatAgo, formatBytes, formatLeft, formatDateTime, formatRate } from "../format.js";
import { type HomeAssistant, isAdmin } from "../hass.js";
import { localizer } from "../localize.js";
import type { Acceptance, Block, Event } from "../messages.js";
import type { HearthwallNotice } from "../notice.js";
import { nothingYet, oldFigures } from "../phase.js";
import { askQuarantine } from "../quarantine.js";
import { statusOf } from "../status.js";
import { Live, type LiveDevice } from "../store.js";
import { card, controls } from "../styles.js";
import { Ticking } from "../ticking.js";
import { DeviceData } from "./data.js";
import { askRevoke, askUnblock } from "./orders.js";
import { acceptedSection, blocksSection, eventsSection, peersSection, profileSection } from "./sections.js";
import { view } from "./styles.js";

export class HearthwallDeviceView extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @property({ attribute: false }) deviceId?: string | undefined;
  /** What stands above; the device's name unless something else is said. */
  @property({ attribute: false }) heading?: string | undefined;
  /** What is scrolled to, once it is there. */
  @property({ attribute: false }) at?: "events" | undefined;
  @query("hearthwall-confirm") private confirm!: HearthwallConfirm;
  @query("hearthwall-notice") private notice!: HearthwallNotice;

  private readonly live = new Live(this);
  private readonly data = new DeviceData(this);
  private readonly opened = new OpenedEvents(this, (hass) => this.asking(hass));
  private rule: number | null | undefined;

  constructor() {
    super();
    new Ticking(this);
  }

  protected override render() {
    const { hass, deviceId } = this;
    if (!hass) return nothing;
    const t = localizer(hass);
    if (!deviceId) return html`<div class="message">${t("device.choose")}</div>`;
    const message = nothingYet(hass, this.live.store);
    const device = this.live.store?.device(deviceId);
    if (message || !device) return message ?? html`<div class="message" role="status">${t("device.unknown")}</div>`;
    return html`
      ${this.renderHead(hass, device)} ${oldFigures(hass, this.live.store, device.entryId)}
      ${this.isReadOnly(device) ? html`<div class="notice" role="status">${t("orders.read_only")}</div>` : nothing}
      ${this.data.problem ? html`<div class="notice" role="status">${this.data.problem}</div>` : nothing}
      <div class="sections">
        ${isAdmin(hass)
          ? this.renderAll(hass, device)
          : html`${this.renderTraffic(hass, device)}
              <p class="secondary">${t("common.admin")}</p>`}
      </div>
      <hearthwall-notice .hass=${hass}></hearthwall-notice>
      <hearthwall-confirm .hass=${hass}></hearthwall-confirm>
    `;
  }

  private isReadOnly({ entryId }: LiveDevice): boolean {
    return this.live.store?.isReadOnly(entryId) ?? false;
  }

  private renderHead(hass: HomeAssistant, device: LiveDevice) {
    const t = localizer(hass);
    const { row } = device;
    const { key, tone, expires } = statusOf(row);
    const connected = this.live.store?.gateways.get(device.entryId)?.connected ?? false;
    const now = Date.now() / 1000;
    return html`<header>
      <div class="grow">
        <h2 class="cut" title=${row.name}>${this.heading ?? row.name}</h2>
        <div class="secondary wrap">
          <span class="chip ${tone}">${t(key)}</span>
          ${expires === null ? nothing : html`<span role="timer">${t("common.left", { span: formatLeft(hass, expires - now) })}</span>`}
          ${row.online ? nothing : html`<span>${t("devices.seen", { ago: formatAgo(hass, row.last_seen, now) })}</span>`}
        </div>
      </div>
      ${this.isReadOnly(device)
        ? nothing
        : html`<button
            class=${row.quarantined ? "main" : "danger"}
            ?disabled=${!connected}
            title=${connected ? "" : t("quarantine.impossible")}
            @click=${() => askQuarantine(this.asking(hass), device)}
          >
            ${t(row.quarantined ? "quarantine.release" : "quarantine.confirm")}
          </button>`}
    </header>`;
  }

  private renderTraffic(hass: HomeAssistant, device: LiveDevice) {
    const t = localizer(hass);
    const { row, samples } = device;
    const figure = (name: "download" | "upload", arrow: string) => html`<div class="tile">
      <div class="secondary"><span class=${name === "download" ? "down" : "up"} aria-hidden="true">${arrow}</span> ${t(`common.${name}`)}</div>
      <div class="large">${formatRate(hass, row[`${name}_rate`])}</div>
      <div class="secondary">
        ${t("device.moved", {
          today: formatBytes(hass, row[`${name}_today`]),
          all: formatBytes(hass, row[`${name}_bytes`]),
        })}
      </div>
    </div>`;
    const facts = [
      row.vendor,
      row.mac,
      row.randomised ? t("devices.random") : null,
      ...row.addresses.slice(0, 4),
      t("device.first_seen", { since: formatDateTime(hass, row.first_seen) }),
    ].filter((fact) => fact !== null);
    return html`<section class="traffic">
      <div class="secondary wrap">${facts.join(" · ")}</div>
      <div class="tiles">${figure("download", "↓")}${figure("upload", "↑")}</div>
      <h3>${t("device.minute")}</h3>
      <hearthwall-sparkline .samples=${samples} .now=${Date.now() / 1000}></hearthwall-sparkline>
      <h3>${t("device.history")}</h3>
      ${this.data.history?.length
        ? html`<hearthwall-history
            .hass=${hass}
            .spans=${this.data.history}
            .began=${this.data.began}
          ></hearthwall-history>`
        : html`<p class="secondary">${t(this.data.history ? "device.history_none" : "common.loading")}</p>`}
    </section>`;
  }

  private renderAll(hass: HomeAssistant, device: LiveDevice) {
    const { details, usage, events } = this.data;
    const { entryId } = device;
    const asking = () => this.asking(hass);
    const isReadOnly = this.isReadOnly(device);
    const release = isReadOnly ? undefined : (rule: Block) => void askUnblock(asking(), entryId, rule);
    const block = isReadOnly ? undefined : (peer: string) => void askBlock(asking(), entryId, peer);
    const revoke = isReadOnly ? undefined : (each: Acceptance) => void askRevoke(asking(), entryId, each);
    return html`
      <div>
        ${this.renderTraffic(hass, device)}
        ${details ? blocksSection(hass, details.blocks, release) : nothing}
        ${details?.profile ? profileSection(hass, details.profile) : nothing}
      </div>
      <div>
        ${usage
          ? peersSection(hass, usage, {
              rules: this.data.rules,
              home: this.live.store?.addresses(entryId) ?? new Set(),
              block,
              release,
            })
          : nothing}
        ${events ? this.renderEvents(hass, events) : nothing}
        ${details
          ? acceptedSection(hass, details.accepted, revoke)
          : nothing}
      </div>
    `;
  }

  private renderEvents(hass: HomeAssistant, events: readonly Event[]) {
    const accepted = new Set(this.data.details?.accepted.map(({ seq }) => seq));
    return eventsSection(hass, events, (event) =>
      this.opened.viewOf(hass, event, {
        when: formatAgo(hass, event.last_time ?? event.time),
        accepted: accepted.has(event.seq),
      }),
    );
  }

  private asking(hass: HomeAssistant): Page {
    const { confirm, notice, live } = this;
    return { hass, confirm, notice, store: live.store, after: () => this.data.refresh() };
  }

  protected override updated(): void {
    // What is blocked is asked for anew as soon as the kernel does something else
    const rule = this.deviceId === undefined ? undefined : this.live.store?.device(this.deviceId)?.row.rule?.id ?? null;
    if (this.rule !== undefined && rule !== undefined && rule !== this.rule) void this.data.refresh();
    this.rule = rule;
    const place = this.at && this.renderRoot.querySelector(`#${this.at}`);
    // What stands above it is there by then
    if (place && this.data.usage && this.data.details) {
      this.at = undefined;
      place.scrollIntoView({ block: "start" });
    }
  }

  static override styles = [controls, card, view, itemStyles];
}
