// One device, whole: live figures, its day, whom it talks to, what happened, what is blocked.

import { html, LitElement, nothing } from "lit";
import { property, query } from "lit/decorators.js";
import type { HearthwallConfirm } from "../dialog.js";
import { formatAgo, formatBytes, formatCountdown, formatDateTime, formatRate } from "../format.js";
import { type HomeAssistant, isAdmin } from "../hass.js";
import { localizer } from "../localize.js";
import type { Acceptance, Block, Event } from "../messages.js";
import type { HearthwallNotice } from "../notice.js";
import { accept, blockPeer, revoke, type Undo, unblock } from "../orders.js";
import { nothingYet, oldFigures } from "../phase.js";
import { askQuarantine, chosenSeconds, durations } from "../quarantine.js";
import { statusOf } from "../status.js";
import { Live, type LiveDevice } from "../store.js";
import { card, controls } from "../styles.js";
import { Ticking } from "../ticking.js";
import { DeviceData } from "./data.js";
import { acceptedSection, blocksSection, eventsSection, peersSection, profileSection } from "./sections.js";
import { view } from "./styles.js";

export class HearthwallDeviceView extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @property({ attribute: false }) deviceId?: string | undefined;
  /** What stands above; the device's name unless something else is said. */
  @property({ attribute: false }) heading?: string | undefined;
  @query("hearthwall-confirm") private confirm!: HearthwallConfirm;
  @query("hearthwall-notice") private notice!: HearthwallNotice;

  private readonly live = new Live(this);
  private readonly data = new DeviceData(this);
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
          ${expires === null ? nothing : html`<span role="timer">${formatCountdown(hass, expires - now)}</span>`}
          ${row.online ? nothing : html`<span>${t("devices.seen", { ago: formatAgo(hass, row.last_seen, now) })}</span>`}
        </div>
      </div>
      <button
        class=${row.quarantined ? "main" : "danger"}
        ?disabled=${!connected}
        title=${connected ? "" : t("quarantine.impossible")}
        @click=${() => askQuarantine(hass, device, this.confirm, this.notice)}
      >
        ${t(row.quarantined ? "quarantine.release" : "quarantine.confirm")}
      </button>
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
        ? html`<hearthwall-history .hass=${hass} .spans=${this.data.history}></hearthwall-history>`
        : html`<p class="secondary">${t(this.data.history ? "device.history_none" : "common.loading")}</p>`}
    </section>`;
  }

  private renderAll(hass: HomeAssistant, device: LiveDevice) {
    const { details, usage, events } = this.data;
    const accepted = new Set(details?.accepted.map(({ seq }) => seq));
    const block = (peer: string) => void this.onBlock(hass, device, peer);
    const release = (rule: Block) => void this.onUnblock(hass, device, rule);
    return html`
      <div>
        ${this.renderTraffic(hass, device)}
        ${details ? blocksSection(hass, details.blocks, release) : nothing}
        ${details?.profile ? profileSection(hass, details.profile) : nothing}
      </div>
      <div>
        ${usage ? peersSection(hass, usage, this.data.rules, block, release) : nothing}
        ${events
          ? eventsSection(hass, events, { accept: (event) => void this.onAccept(hass, event), block, accepted })
          : nothing}
        ${details
          ? acceptedSection(hass, details.accepted, (each) => void this.onRevoke(hass, device, each))
          : nothing}
      </div>
    `;
  }

  protected override updated(): void {
    // What is blocked is asked for anew as soon as the kernel does something else
    const rule = this.deviceId === undefined ? undefined : this.live.store?.device(this.deviceId)?.row.rule?.id ?? null;
    if (this.rule !== undefined && rule !== undefined && rule !== this.rule) void this.data.refresh();
    this.rule = rule;
  }

  private async done(asked: Promise<boolean>, text: string, undo: () => Undo | undefined): Promise<void> {
    if (!(await asked)) return;
    const back = undo();
    this.notice.show(
      text,
      back &&
        (async () => {
          await back();
          await this.data.refresh();
        }),
    );
    await this.data.refresh();
  }

  private onBlock(hass: HomeAssistant, device: LiveDevice, peer: string): Promise<void> {
    const t = localizer(hass);
    let undo: Undo | undefined;
    const asked = this.confirm.ask({
      title: t("device.block_ask", { peer }),
      text: t("device.block_text"),
      confirm: t("device.block"),
      danger: true,
      choices: durations(hass),
      act: async (choice) => (undo = await blockPeer(hass, device.entryId, peer, chosenSeconds(choice))),
    });
    return this.done(asked, t("device.block_done", { peer }), () => undo);
  }

  private onUnblock(hass: HomeAssistant, device: LiveDevice, block: Block): Promise<void> {
    const t = localizer(hass);
    let undo: Undo | undefined;
    const asked = this.confirm.ask({
      title: t("device.unblock_ask"),
      text: t("device.unblock_text"),
      confirm: t("quarantine.release"),
      act: async () => (undo = await unblock(hass, device.entryId, block)),
    });
    return this.done(asked, t("device.unblock_done"), () => undo);
  }

  private onAccept(hass: HomeAssistant, event: Event): Promise<void> {
    const t = localizer(hass);
    let undo: Undo | undefined;
    const asked = this.confirm.ask({
      title: t("device.accept_ask"),
      text: t("device.accept_text", { summary: event.summary }),
      confirm: t("device.accept"),
      act: async () => (undo = await accept(hass, event.entry_id, event.seq)),
    });
    return this.done(asked, t("device.accept_done"), () => undo);
  }

  private onRevoke(hass: HomeAssistant, device: LiveDevice, acceptance: Acceptance): Promise<void> {
    const t = localizer(hass);
    const asked = this.confirm.ask({
      title: t("device.revoke_ask"),
      text: t("device.revoke_text", { summary: acceptance.summary }),
      confirm: t("device.revoke"),
      act: () => revoke(hass, device.entryId, acceptance.id),
    });
    return this.done(asked, t("device.revoke_done"), () => () => accept(hass, device.entryId, acceptance.seq));
  }

  static override styles = [controls, card, view];
}
