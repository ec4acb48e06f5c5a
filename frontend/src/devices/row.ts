// One device in the list: what it is, what it does, and its switch.

import { css, html, LitElement, nothing } from "lit";
import { property } from "lit/decorators.js";
import type { Alert } from "../alerts.js";
import { text } from "../events/evidence.js";
import { severityIcon } from "../events/icons.js";
import { kindKeys } from "../events/kinds.js";
import { formatAgo, formatBytes, formatCount, formatLeft, formatRate } from "../format.js";
import type { HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import type { Sort } from "./list.js";
import { statusOf } from "../status.js";
import type { LiveDevice } from "../store.js";
import { card, controls } from "../styles.js";
import { Ticking } from "../ticking.js";

/** Fires `hearthwall-open`, `hearthwall-events` and `hearthwall-quarantine`; the card answers. */
export class HearthwallDeviceRow extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @property({ attribute: false }) device?: LiveDevice | undefined;
  /** Whether what is shown is of now. */
  @property({ type: Boolean, reflect: true }) connected = true;

  /** Whether the sensor takes no orders from Home Assistant. */
  @property({ type: Boolean }) readOnly = false;

  /** Whether the sensor is connected and says nothing. */
  @property({ type: Boolean, reflect: true }) stale = false;

  /** The gateway that sees it, where devices of several are shown: a device may be there once for each. */
  @property({ attribute: false }) gateway: string | undefined;
  /** What asks for attention, if anything does. */
  @property({ attribute: false }) alert?: Alert | undefined;
  /** What the list is sorted by: on a narrow card that figure is shown, too. */
  @property({ reflect: true }) sort: Sort = "today";

  constructor() {
    super();
    new Ticking(this, () => this.moves());
  }

  /** Whether there is something to see that changes with the clock. */
  private moves(): boolean {
    if (!this.connected || this.stale || !this.device) return false;
    const { row, samples } = this.device;
    return row.rule?.expires != null || samples.some(({ upload, download }) => upload + download > 0);
  }

  protected override render() {
    const { hass, device } = this;
    if (!hass || !device) return nothing;
    const t = localizer(hass);
    const { row } = device;
    const now = Date.now() / 1000;
    const { key, tone, expires } = statusOf(row);
    const [download, upload] = [formatRate(hass, row.download_rate), formatRate(hass, row.upload_rate)];
    const today = formatBytes(hass, row.download_today + row.upload_today);
    const seen = row.top_peer
      ? t("devices.top_peer", { peer: row.top_peer })
      : row.online
        ? (row.addresses[0] ?? row.mac)
        : t("devices.seen", { ago: formatAgo(hass, row.last_seen, now) });
    const beneath = this.gateway === undefined ? seen : `${this.gateway} · ${seen}`;
    return html`
      <div class="row">
        <span class="dot ${tone} ${row.online ? "" : "away"}" aria-hidden="true"></span>
        <div class="who">
          <button
            class="open cut"
            ?disabled=${!row.device_id}
            aria-label=${t("devices.row", { name: row.name, status: t(key), download, upload, today })}
            title=${row.name}
            @click=${() => this.fire("hearthwall-open")}
          >
            ${row.name}
          </button>
          <div class="secondary cut" title=${beneath}>${beneath}</div>
          ${this.renderAlert(hass, device)}
        </div>
        <div class="status">
          ${tone === "good" || (tone === "none" && !row.rule)
            ? html`<span class="secondary plain">${t(key)}</span>`
            : html`<span class="chip ${tone}">${t(key)}</span>`}
          ${expires === null
            ? nothing
            : html`<span class="secondary count" role="timer">${t("common.left", { span: formatLeft(hass, expires - now) })}</span>`}
        </div>
        <hearthwall-sparkline .samples=${device.samples} .now=${now}></hearthwall-sparkline>
        <div class="rates" aria-hidden="true">
          <span class=${row.download_rate ? "" : "idle"}><span class="down">↓</span> ${download}</span>
          <span class=${row.upload_rate ? "" : "idle"}><span class="up">↑</span> ${upload}</span>
        </div>
        <div class="today" aria-hidden="true">
          <span class="wide">${today}</span>
          <span class="wide secondary">${t("devices.today")}</span>
          <span class="small secondary">${t("devices.today_small", { total: today })}</span>
        </div>
        <button
          class="switch"
          role="switch"
          aria-checked=${row.quarantined}
          aria-label=${t("quarantine.switch", { name: row.name })}
          title=${this.readOnly
            ? t("orders.read_only")
            : this.connected
              ? t("quarantine.switch", { name: row.name })
              : t("quarantine.impossible")}
          ?disabled=${this.readOnly || !this.connected}
          @click=${() => this.fire("hearthwall-quarantine")}
        >
          <span class="track"><span class="thumb"></span></span>
          <span class="word">${t("quarantine.label")}</span>
        </button>
      </div>
    `;
  }

  /** What asks for attention leads to the device's events. */
  private renderAlert(hass: HomeAssistant, { row }: LiveDevice) {
    if (!this.alert) return nothing;
    const t = localizer(hass);
    const { event, count } = this.alert;
    const kind = t(kindKeys(event.kind).name);
    const severity = t(`severity.${event.severity}`);
    return html`<button
      class="alert ${event.severity}"
      ?disabled=${!row.device_id}
      title=${t("devices.alert_open", { severity, summary: text(event.summary), name: row.name })}
      @click=${() => this.fire("hearthwall-events")}
    >
      ${severityIcon(event.severity)}
      <span class="cut">${count > 1 ? t("devices.alert", { kind, more: formatCount(hass, count - 1) }) : t("devices.alert.one", { kind })}</span>
    </button>`;
  }

  private fire(name: string): void {
    this.dispatchEvent(new CustomEvent(name, { detail: this.device, bubbles: true, composed: true }));
  }

  static override styles = [
    controls,
    card,
    css`
      :host {
        content-visibility: auto;
        contain-intrinsic-size: auto 64px;
      }
      .row {
        position: relative;
        display: grid;
        grid-template:
          "dot who status spark rates today switch" auto / 12px minmax(150px, 4fr) minmax(96px, 1.2fr)
          minmax(60px, 1.6fr) 96px 76px 76px;
        align-items: center;
        gap: 0 12px;
        min-height: 56px;
        padding: 4px 12px 4px 16px;
        box-sizing: border-box;
      }
      .row:hover {
        background: color-mix(in srgb, var(--primary-text-color) 4%, transparent);
      }
      .dot {
        grid-area: dot;
        width: 10px;
        height: 10px;
        box-sizing: border-box;
        border-radius: 50%;
        background: currentcolor;
        border: 2px solid currentcolor;
      }
      .dot.good {
        color: var(--success-color, #43a047);
      }
      .dot.held {
        color: var(--warning-color, #ffa600);
      }
      .dot.bad {
        color: var(--error-color, #db4437);
      }
      .dot.none {
        color: var(--secondary-text-color);
      }
      .dot.away {
        background: none;
      }
      .who {
        grid-area: who;
        min-width: 0;
      }
      .open {
        display: block;
        max-width: 100%;
        min-height: 0;
        padding: 0;
        border-radius: 4px;
        font-weight: 400;
        line-height: 22px;
        text-align: start;
        color: var(--primary-text-color);
      }
      /* The whole row opens the device; a keyboard and a screen reader meet one button */
      .open::after {
        content: "";
        position: absolute;
        inset: 0;
      }
      .open:disabled {
        opacity: 1;
      }
      .open:focus-visible {
        outline: none;
      }
      .open:focus-visible::after {
        outline: 2px solid var(--primary-color);
        outline-offset: -2px;
        border-radius: 8px;
      }
      .status {
        grid-area: status;
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 2px 6px;
        min-width: 0;
      }
      .chip {
        padding: 2px 8px;
        border-radius: 10px;
        font-size: 12px;
        line-height: 16px;
        color: var(--primary-text-color);
      }
      .chip.bad {
        background: color-mix(in srgb, var(--error-color, #db4437) 24%, transparent);
      }
      .chip.held {
        background: color-mix(in srgb, var(--warning-color, #ffa600) 24%, transparent);
      }
      .chip.none {
        background: color-mix(in srgb, var(--primary-text-color) 10%, transparent);
      }
      .count,
      .rates,
      .today {
        font-variant-numeric: tabular-nums;
      }
      hearthwall-sparkline {
        grid-area: spark;
        height: 32px;
      }
      :host(:is(:not([connected]), [stale])) hearthwall-sparkline {
        opacity: 0.4;
      }
      :host(:is(:not([connected]), [stale])) :is(.rates, .today) {
        color: var(--secondary-text-color);
      }
      .rates {
        grid-area: rates;
        display: flex;
        flex-direction: column;
        font-size: 12px;
        line-height: 16px;
        text-align: end;
        white-space: nowrap;
      }
      .idle {
        color: var(--secondary-text-color);
      }
      .today {
        grid-area: today;
        display: flex;
        flex-direction: column;
        align-items: end;
        font-size: 14px;
        line-height: 18px;
        white-space: nowrap;
      }
      .small {
        display: none;
      }
      .alert {
        position: relative;
        z-index: 1;
        display: inline-flex;
        align-items: center;
        gap: 4px;
        max-width: 100%;
        min-height: 24px;
        margin: 2px 0;
        padding: 2px 10px 2px 6px;
        border-radius: 12px;
        font-size: 12px;
        line-height: 16px;
        color: var(--primary-text-color);
        background: color-mix(in srgb, var(--warning-color, #ffa600) 26%, transparent);
      }
      .alert.critical {
        background: color-mix(in srgb, var(--error-color, #db4437) 26%, transparent);
      }
      .alert svg {
        flex: none;
        width: 16px;
        height: 16px;
        fill: color-mix(in srgb, var(--warning-color, #ffa600) 70%, var(--primary-text-color));
      }
      .alert.critical svg {
        fill: color-mix(in srgb, var(--error-color, #db4437) 80%, var(--primary-text-color));
      }
      .switch {
        grid-area: switch;
        z-index: 1;
        display: flex;
        flex-direction: column;
        align-items: center;
        justify-content: center;
        gap: 2px;
        min-width: 72px;
        min-height: 44px;
        padding: 0;
        border-radius: 12px;
      }
      .word {
        font-size: 11px;
        font-weight: 400;
        line-height: 14px;
        color: var(--secondary-text-color);
      }
      .track {
        display: block;
        width: 36px;
        height: 20px;
        padding: 3px;
        box-sizing: border-box;
        border-radius: 10px;
        background: color-mix(in srgb, var(--primary-text-color) 45%, transparent);
        transition: background 0.15s;
      }
      .thumb {
        display: block;
        width: 14px;
        height: 14px;
        border-radius: 50%;
        background: var(--card-background-color, #fff);
        transition: translate 0.15s;
      }
      [aria-checked="true"] .track {
        background: var(--error-color, #db4437);
      }
      [aria-checked="true"] .thumb {
        translate: 16px;
      }
      @container devices (max-width: 719px) {
        .row {
          grid-template:
            "dot who who who switch" auto
            ". status status status status" auto
            ". spark today rates rates" auto / 12px minmax(0, 1fr) auto auto 72px;
          gap: 2px 0;
          padding-block: 6px;
        }
        .who {
          margin-inline-start: 12px;
        }
        .status {
          margin-inline-start: 12px;
        }
        .status:not(:has(.chip)) {
          display: none;
        }
        hearthwall-sparkline {
          margin-inline-start: 12px;
        }
        /* The dot says it: filled or hollow */
        .plain {
          display: none;
        }
        .rates {
          flex-direction: row;
          justify-content: end;
          gap: 12px;
          min-width: 148px;
          padding-inline: 12px 8px;
        }
        hearthwall-sparkline {
          height: 24px;
        }
        .wide,
        :host(:not([sort="today"])) .today {
          display: none;
        }
        .small {
          display: inline;
          padding-inline-start: 8px;
        }
      }
    `,
  ];
}
