// The devices card: every device of the home, live.

import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { Alerted } from "../alerts.js";
import type { HearthwallConfirm } from "../dialog.js";
import { formatCount, formatRate } from "../format.js";
import type { ConfigForm, GridOptions, HomeAssistant, Label } from "../hass.js";
import { labels } from "../labels.js";
import { localizer } from "../localize.js";
import type { Row } from "../messages.js";
import { navigate } from "../navigate.js";
import type { HearthwallNotice } from "../notice.js";
import { once } from "../once.js";
import { nothingYet, oldFigures } from "../phase.js";
import { askQuarantine } from "../quarantine.js";
import { Live, type LiveDevice } from "../store.js";
import { card, controls } from "../styles.js";
import type { HearthwallDeviceDialog } from "../device/dialog.js";
import { checked, type DevicesConfig } from "./config.js";
import { devicesForm } from "./form.js";
import { matches, Order } from "./list.js";
import { type Settings, toolbar } from "./toolbar.js";

/** More rows are drawn only when somebody asks for them. */
const MOST_ROWS = 500;

/** So many devices are found without a search. */
const FEW = 4;

const list = (value: string | string[] | null | undefined): string[] => [value ?? []].flat();

export class HearthwallDevicesCard extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  /** Set by Home Assistant where the card has a size of its own in a grid of sections. */
  @property({ attribute: false }) layout?: string;
  @state() private config: DevicesConfig | undefined;
  @state() private settings: Settings = { search: "", shown: "all", areas: [], labels: [], sort: "today" };
  @state() private labels: readonly Label[] = [];
  /** Whether somebody asked for all rows. */
  @state() private whole = false;
  @query("hearthwall-confirm") private confirm!: HearthwallConfirm;
  @query("hearthwall-notice") private notice!: HearthwallNotice;
  @query("hearthwall-device-dialog") private dialog!: HearthwallDeviceDialog;
  @query(".list") private rows: HTMLElement | null | undefined;

  private readonly live = new Live(this);
  private readonly alerted = new Alerted(this);
  private readonly order = new Order();
  private quarantined: Map<string, boolean> | undefined;
  private asked = false;

  setConfig(config: DevicesConfig): void {
    this.config = checked(config);
    this.settings = { ...this.settings, sort: config.sort ?? "today" };
  }

  static getStubConfig(): Partial<DevicesConfig> {
    return {};
  }

  static getConfigForm(): ConfigForm {
    return devicesForm();
  }

  getCardSize(): number {
    return 7;
  }

  getGridOptions(): GridOptions {
    return { columns: "full", rows: "auto", min_columns: 6, min_rows: 3 };
  }

  /** Return the devices that the card is about, whatever the user searches for. */
  private mine(hass: HomeAssistant): LiveDevice[] {
    const { entry_id: entryId, area, label } = this.config ?? {};
    const filter = { search: "", shown: "all", areas: list(area), labels: list(label) } as const;
    return [...(this.live.store?.devices() ?? [])].filter(
      (device) => (!entryId || device.entryId === entryId) && matches(hass, device.row, filter),
    );
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("hass") && this.hass && !this.asked) {
      this.asked = true;
      labels(this.hass).then(
        (all) => (this.labels = all),
        () => (this.asked = false),
      );
    }
  }

  protected override render() {
    const { hass, config } = this;
    if (!hass || !config) return nothing;
    const t = localizer(hass);
    const message = nothingYet(hass, this.live.store);
    const all = message ? [] : this.mine(hass);
    const shown = this.order.of(
      hass,
      all.filter(({ row }) => matches(hass, row, this.settings)),
      this.settings.sort,
      Date.now() / 1000,
      this.rows?.matches(":hover, :focus-within") ?? false,
    );
    return html`
      <ha-card>
        <div class="head">
          <h2 class="card-title">${config.title ?? t("devices.title")}</h2>
          ${message ? nothing : this.renderSummary(hass, all)}
        </div>
        ${message ?? this.renderList(hass, config, all, shown)}
        <hearthwall-notice .hass=${hass}></hearthwall-notice>
        <hearthwall-confirm .hass=${hass}></hearthwall-confirm>
        <hearthwall-device-dialog .hass=${hass}></hearthwall-device-dialog>
      </ha-card>
    `;
  }

  private renderSummary(hass: HomeAssistant, devices: readonly LiveDevice[]) {
    const t = localizer(hass);
    const rows = once(devices);
    const count = (which: (row: Row) => boolean) => rows.filter(which).length;
    const sum = (rate: "download_rate" | "upload_rate") => rows.reduce((total, row) => total + row[rate], 0);
    const restricted = count((row) => row.quarantined || row.rule !== null);
    return html`<div class="summary secondary">
      <span>
        ${t("devices.summary", {
          online: formatCount(hass, count((row) => row.online)),
          all: formatCount(hass, rows.length),
        })}${restricted
          ? html` · <b>${t("devices.summary_restricted", { count: formatCount(hass, restricted) })}</b>`
          : nothing}
      </span>
      <span class="rates">
        <span class="down" role="img" aria-label=${t("common.download")}>↓</span> ${formatRate(hass, sum("download_rate"))}
        <span class="up" role="img" aria-label=${t("common.upload")}>↑</span> ${formatRate(hass, sum("upload_rate"))}
      </span>
    </div>`;
  }

  private renderList(
    hass: HomeAssistant,
    config: DevicesConfig,
    all: readonly LiveDevice[],
    shown: readonly LiveDevice[],
  ) {
    const t = localizer(hass);
    const { store } = this.live;
    const registered = all.flatMap(({ row }) => (row.device_id && hass.devices[row.device_id]) || []);
    const areas = new Set(registered.flatMap((device) => device.area_id ?? []));
    const used = new Set(registered.flatMap((device) => device.labels ?? []));
    const several = new Set(all.map(({ entryId }) => entryId)).size > 1;
    return html`
      ${oldFigures(hass, store, config.entry_id)}
      ${!(config.toolbar ?? all.length > FEW)
        ? nothing
        : toolbar(
            hass,
            this.settings,
            list(config.area).length === 1 ? new Set() : areas,
            this.labels.filter(({ label_id }) => used.has(label_id)),
            (changed) => (this.settings = { ...this.settings, ...changed }),
          )}
      ${shown.length
        ? html`<div
            class="list"
            role="list"
            aria-label=${config.title ?? t("devices.title")}
            @hearthwall-open=${this.onOpen}
            @hearthwall-events=${this.onEvents}
            @hearthwall-quarantine=${this.onQuarantine}
          >
            ${repeat(
              this.whole ? shown : shown.slice(0, MOST_ROWS),
              ({ key }) => key,
              (device) => html`<hearthwall-device-row
                role="listitem"
                .hass=${hass}
                .device=${device}
                .alert=${this.alerted.alerts?.of(device)}
                .gateway=${several ? store?.gateways.get(device.entryId)?.name : undefined}
                .sort=${this.settings.sort}
                .connected=${store?.gateways.get(device.entryId)?.connected ?? false}
                .readOnly=${store?.isReadOnly(device.entryId) ?? false}
                .stale=${store?.gateways.get(device.entryId)?.stale ?? false}
              ></hearthwall-device-row>`,
            )}
            ${shown.length > MOST_ROWS && !this.whole
              ? html`<button class="quiet more" @click=${() => (this.whole = true)}>
                  ${t("devices.show_rest", { count: formatCount(hass, shown.length) })}
                </button>`
              : nothing}
          </div>`
        : html`<div class="message" role="status">
            <p>${t(all.length ? "devices.none_found" : "devices.none")}</p>
            ${all.length ? html`<button class="quiet" @click=${this.onClear}>${t("devices.clear")}</button>` : nothing}
          </div>`}
    `;
  }

  protected override updated(): void {
    this.announce();
  }

  /** Tell screen readers who was cut off or let in, whoever ordered it. */
  private announce(): void {
    const { hass } = this;
    if (!hass || !this.live.store?.gateways.size) return;
    const t = localizer(hass);
    const before = this.quarantined;
    this.quarantined = new Map();
    const changes: string[] = [];
    for (const { key, row } of this.mine(hass)) {
      this.quarantined.set(key, row.quarantined);
      const was = before?.get(key);
      if (was !== undefined && was !== row.quarantined) {
        changes.push(t(row.quarantined ? "quarantine.on" : "quarantine.off", { name: row.name }));
      }
    }
    if (changes.length) this.notice.announce(changes.slice(0, 3).join(" "));
  }

  private readonly onOpen = ({ detail }: CustomEvent<LiveDevice>): void => {
    const { device_id: id } = detail.row;
    const path = this.config?.navigation_path;
    if (id && path) navigate(path.replace("{device_id}", encodeURIComponent(id)));
    else if (id) this.dialog.open(id);
  };

  private readonly onEvents = ({ detail }: CustomEvent<LiveDevice>): void => {
    if (detail.row.device_id) this.dialog.open(detail.row.device_id, "events");
  };

  private readonly onQuarantine = ({ detail }: CustomEvent<LiveDevice>): void => {
    const { hass, confirm, notice } = this;
    if (hass) void askQuarantine({ hass, confirm, notice }, detail);
  };

  private readonly onClear = (): void => {
    this.settings = { ...this.settings, search: "", shown: "all", areas: [], labels: [] };
  };

  static override styles = [
    controls,
    card,
    css`
      ha-card {
        container: devices / inline-size;
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 0 16px;
        padding-block: 4px;
      }
      .head h2 {
        padding: 8px 16px 4px;
      }
      .summary {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 16px;
        padding: 4px 16px;
        font-variant-numeric: tabular-nums;
      }
      .toolbar {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        padding: 4px 16px 8px;
      }
      .field {
        display: flex;
        flex-direction: column;
        gap: 2px;
        flex: 0 1 auto;
        min-width: 0;
        font-size: 12px;
        line-height: 16px;
        color: var(--secondary-text-color);
      }
      .field > span {
        padding-inline-start: 12px;
      }
      .field.search {
        flex: 1 1 180px;
      }
      input,
      select {
        height: 40px;
        min-width: 0;
        max-width: 100%;
        box-sizing: border-box;
        padding: 0 12px;
        border: 1px solid var(--hearthwall-line);
        border-radius: 20px;
        font: inherit;
        font-size: 14px;
        color: var(--primary-text-color);
        background: var(--card-background-color, #fff);
      }
      input {
        width: 100%;
        appearance: none;
      }
      select {
        text-overflow: ellipsis;
      }
      .list {
        flex: 1;
        min-height: 0;
        overflow-y: auto;
        max-height: var(--hearthwall-list-height, 70vh);
        padding-bottom: 8px;
      }
      .more {
        display: block;
        margin: 8px auto;
      }
      hearthwall-device-row + hearthwall-device-row {
        border-top: 1px solid color-mix(in srgb, var(--hearthwall-line) 60%, transparent);
      }
      @container devices (max-width: 479px) {
        .field.search {
          flex-basis: 100%;
        }
        .field {
          flex: 1 1 40%;
        }
      }
    `,
  ];
}
