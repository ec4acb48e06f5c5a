// The rules card: everything that is held back, of devices, peers and programs, and the way to end it.

import { css, html, LitElement, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { askUnblock } from "../device/orders.js";
import type { HearthwallConfirm } from "../dialog.js";
import { formTexts } from "../form.js";
import { formatCount } from "../format.js";
import { type ConfigForm, DOMAIN, type GridOptions, type HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import type { Block } from "../messages.js";
import type { HearthwallNotice } from "../notice.js";
import { nothingYet, oldFigures } from "../phase.js";
import { card, controls } from "../styles.js";
import { Ticking } from "../ticking.js";
import { type GatewayRules, RulesData } from "./data.js";
import { droppedOf, leftOf, modeOf, sinceOf, targetOf } from "./words.js";

export interface RulesConfig {
  type: string;
  title?: string;
  entry_id?: string;
}

/** More are drawn only when somebody asks for them. */
const MOST = 100;

export class HearthwallRulesCard extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @state() private config: RulesConfig | undefined;
  @state() private whole = false;
  @query("hearthwall-confirm") private confirm!: HearthwallConfirm;
  @query("hearthwall-notice") private notice!: HearthwallNotice;
  private readonly data = new RulesData(this, () => this.config?.entry_id);

  constructor() {
    super();
    new Ticking(this, () => this.data.rules?.some(({ blocks }) => blocks.length) ?? false);
  }

  setConfig(config: RulesConfig): void {
    this.config = config;
  }

  static getStubConfig(): Partial<RulesConfig> {
    return {};
  }

  static getConfigForm(): ConfigForm {
    return {
      schema: [
        { name: "title", selector: { text: {} } },
        { name: "entry_id", selector: { config_entry: { integration: DOMAIN } } },
      ],
      ...formTexts(),
    };
  }

  getCardSize(): number {
    return 4;
  }

  getGridOptions(): GridOptions {
    return { columns: 12, rows: "auto", min_columns: 6 };
  }

  protected override render() {
    const { hass, config } = this;
    if (!hass || !config) return nothing;
    const t = localizer(hass);
    const { store } = this.data.live;
    const count = this.data.rules?.reduce((sum, { blocks }) => sum + blocks.length, 0);
    return html`<ha-card>
      <div class="head">
        <h2 class="card-title">${config.title || t("rules.title")}</h2>
        ${count ? html`<span class="secondary total">${formatCount(hass, count)}</span>` : nothing}
      </div>
      ${nothingYet(hass, store) ??
      html`${oldFigures(hass, store, config.entry_id)}
      ${this.data.problem ? html`<div class="notice" role="status">${this.data.problem}</div>` : nothing}
      ${this.renderRules(hass)}`}
      <hearthwall-notice .hass=${hass}></hearthwall-notice>
      <hearthwall-confirm .hass=${hass}></hearthwall-confirm>
    </ha-card>`;
  }

  private renderRules(hass: HomeAssistant) {
    const t = localizer(hass);
    const { rules } = this.data;
    if (!rules) return this.data.problem ? nothing : html`<div class="message" role="status">${t("common.loading")}</div>`;
    const all = rules.flatMap((of) => of.blocks.map((block) => ({ of, block })));
    if (!all.length) return html`<div class="message" role="status">${t("rules.none")}</div>`;
    const shown = this.whole ? all : all.slice(0, MOST);
    return html`<ul>
        ${repeat(
          shown,
          ({ of, block }) => `${of.entryId} ${block.id}`,
          ({ of, block }) => this.renderRule(hass, of, block, rules.length > 1),
        )}
      </ul>
      ${shown.length < all.length
        ? html`<button class="quiet more" @click=${() => (this.whole = true)}>
            ${t("rules.show_rest", { count: formatCount(hass, all.length) })}
          </button>`
        : nothing}`;
  }

  private renderRule(hass: HomeAssistant, { entryId, gateway }: GatewayRules, block: Block, several: boolean) {
    const t = localizer(hass);
    const now = Date.now() / 1000;
    const known = this.data.live.store?.gateways.get(entryId);
    const { name, more } = targetOf(hass, block, known?.devices.values() ?? []);
    const left = leftOf(hass, block, now);
    const connected = known?.connected ?? false;
    return html`<li>
      <div class="grow">
        <div class="line">
          <b class="cut" title=${block.target}>${name}</b>
          <span class="chip ${block.mode === "isolate" ? "bad" : block.mode === "audit" ? "" : "held"}">${modeOf(hass, block)}</span>
          ${left ? html`<span class="secondary" role="timer">${left}</span>` : nothing}
        </div>
        ${more || several
          ? html`<div class="secondary wrap">${[more, several ? gateway : ""].filter(Boolean).join(" · ")}</div>`
          : nothing}
        <div class="secondary wrap">${sinceOf(hass, block)}</div>
        <div class="secondary wrap">${droppedOf(hass, block, now)}</div>
        ${block.enforced ? nothing : html`<div class="wrap problem">${t("rules.unenforced")}</div>`}
      </div>
      <button
        class="quiet"
        ?disabled=${!connected || known?.readOnly}
        aria-label=${t("rules.end_named", { name })}
        title=${known?.readOnly ? t("orders.read_only") : connected ? "" : t("quarantine.impossible")}
        @click=${() => this.end(hass, entryId, block)}
      >
        ${t("rules.end")}
      </button>
    </li>`;
  }

  private end(hass: HomeAssistant, entryId: string, block: Block): void {
    const { confirm, notice } = this;
    void askUnblock({ hass, confirm, notice, after: () => this.data.refresh() }, entryId, block);
  }

  static override styles = [
    controls,
    card,
    css`
      .head {
        display: flex;
        align-items: baseline;
        gap: 8px;
        padding-inline-end: 16px;
      }
      .total {
        font-size: 14px;
      }
      ul {
        margin: 0;
        padding: 0 0 8px;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        gap: 12px;
        padding: 10px 16px;
      }
      li + li {
        border-top: 1px solid color-mix(in srgb, var(--hearthwall-line) 60%, transparent);
      }
      .grow {
        flex: 1;
        min-width: 0;
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 2px 8px;
        line-height: 22px;
      }
      b {
        font-weight: 500;
        max-width: 100%;
      }
      .wrap {
        overflow-wrap: anywhere;
        line-height: 18px;
      }
      .problem {
        font-size: 12px;
        color: color-mix(in srgb, var(--error-color, #db4437) 70%, var(--primary-text-color));
      }
      .chip {
        padding: 2px 8px;
        border-radius: 10px;
        font-size: 12px;
        line-height: 16px;
        background: color-mix(in srgb, var(--primary-text-color) 10%, transparent);
      }
      .chip.bad {
        background: color-mix(in srgb, var(--error-color, #db4437) 24%, transparent);
      }
      .chip.held {
        background: color-mix(in srgb, var(--warning-color, #ffa600) 24%, transparent);
      }
      .more {
        align-self: center;
        margin: 0 0 12px;
      }
    `,
  ];
}
