// A badge: how many devices are online, how many rules are in force, and what asks for attention.

import { css, html, LitElement, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { Alerted } from "../alerts.js";
import { formTexts } from "../form.js";
import { formatCount } from "../format.js";
import { type ConfigForm, DOMAIN, type HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import { navigate } from "../navigate.js";
import { once } from "../once.js";
import { Live } from "../store.js";
import { card } from "../styles.js";

export interface BadgeConfig {
  type: string;
  entry_id?: string;
  /** Where a click leads. */
  navigation_path?: string;
}

/** Return the number of rules in force, as the gateways' sensors tell it; undefined where none does. */
function activeBlocks(hass: Pick<HomeAssistant, "entities" | "states">): number | undefined {
  const numbers = Object.values(hass.entities)
    .filter(({ platform, translation_key: key }) => platform === DOMAIN && key === "active_blocks")
    .map(({ entity_id: id }) => Number(hass.states[id]?.state))
    .filter(Number.isFinite);
  return numbers.length ? numbers.reduce((sum, each) => sum + each, 0) : undefined;
}

export class HearthwallBadge extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @state() private config: BadgeConfig | undefined;
  private readonly live = new Live(this);
  private readonly alerted = new Alerted(this);

  setConfig(config: BadgeConfig): void {
    this.config = config;
  }

  static getStubConfig(): Partial<BadgeConfig> {
    return {};
  }

  static getConfigForm(): ConfigForm {
    return {
      schema: [
        { name: "navigation_path", selector: { navigation: {} } },
        { name: "entry_id", selector: { config_entry: { integration: DOMAIN } } },
      ],
      ...formTexts(),
    };
  }

  protected override render() {
    const { hass, config } = this;
    if (!hass || !config) return nothing;
    const t = localizer(hass);
    const { store } = this.live;
    const isMine = ({ entryId }: { entryId: string }) => !config.entry_id || entryId === config.entry_id;
    const devices = once([...(store?.devices() ?? [])].filter(isMine));
    const gateways = [...(store?.gateways.values() ?? [])].filter(isMine);
    const lost = store?.missing || (gateways.length > 0 && gateways.every(({ connected }) => !connected));
    const silent = !lost && gateways.some(({ stale, connected }) => stale || !connected);
    const restricted = devices.filter((row) => row.quarantined || row.rule).length;
    const blocks = config.entry_id ? restricted : (activeBlocks(hass) ?? restricted);
    const alert = this.alerted.alerts?.all(config.entry_id);
    const online = devices.filter((row) => row.online).length;
    const figures = gateways.length
      ? t("badge.online", { online: formatCount(hass, online), all: formatCount(hass, devices.length) })
      : "–";
    const told = lost
      ? [t(store?.phase === "offline" ? "badge.offline" : "badge.lost")]
      : [
          figures,
          ...(silent ? [t("badge.silent")] : []),
          ...(blocks ? [t("badge.blocks", { count: formatCount(hass, blocks) })] : []),
          ...(alert ? [t("badge.alerts", { count: formatCount(hass, alert.count) })] : []),
        ];
    const tone = lost ? "lost" : alert ? alert.event.severity : silent ? "silent" : blocks ? "blocking" : "";
    const path = config.navigation_path;
    const inside = html`<svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 2 4 5v6c0 5 3.4 9.5 8 11 4.6-1.5 8-6 8-11V5l-8-3z"></path>
      </svg>
      <span class="text">
        <span class="label">Hearthwall</span>
        <span>${told.join(" · ")}</span>
      </span>`;
    return path
      ? html`<button class="badge ${tone}" @click=${() => navigate(path)}>${inside}</button>`
      : html`<div class="badge ${tone}">${inside}</div>`;
  }

  static override styles = [
    card,
    css`
      .badge {
        display: flex;
        width: max-content;
        align-items: center;
        gap: 8px;
        box-sizing: border-box;
        min-height: var(--ha-badge-size, 36px);
        padding: 0 14px 0 10px;
        border: var(--ha-card-border-width, 1px) solid var(--ha-card-border-color, var(--divider-color, #e0e0e0));
        border-radius: var(--ha-badge-border-radius, calc(var(--ha-badge-size, 36px) / 2));
        background: var(--ha-card-background, var(--card-background-color, #fff));
        color: var(--primary-text-color);
        font-size: 12px;
        white-space: nowrap;
      }
      .high .label,
      .critical .label,
      .lost .label {
        color: inherit;
      }
      svg {
        width: 18px;
        height: 18px;
        fill: var(--success-color, #43a047);
      }
      .blocking svg {
        fill: var(--warning-color, #ffa600);
      }
      .high {
        border-color: var(--warning-color, #ffa600);
        background: color-mix(in srgb, var(--warning-color, #ffa600) 22%, var(--card-background-color, #fff));
      }
      .high svg {
        fill: var(--warning-color, #ffa600);
      }
      .lost,
      .critical {
        border-color: var(--error-color, #db4437);
        background: color-mix(in srgb, var(--error-color, #db4437) 18%, var(--card-background-color, #fff));
      }
      .lost svg,
      .critical svg {
        fill: var(--error-color, #db4437);
      }
      .silent svg {
        fill: var(--secondary-text-color);
      }
      button {
        font: inherit;
        text-align: start;
        cursor: pointer;
      }
      button:focus-visible {
        outline: 2px solid var(--primary-color);
        outline-offset: 2px;
      }
      .text {
        display: flex;
        flex-direction: column;
        line-height: 16px;
        font-weight: 500;
      }
      .label {
        font-size: 10px;
        line-height: 10px;
        font-weight: 400;
        color: var(--secondary-text-color);
      }
    `,
  ];
}
