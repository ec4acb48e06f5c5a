// The gateway card: whether the sensor is connected, its versions, what it guards and how, and what its feeds hit.

import { css, html, LitElement, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { formTexts } from "../form.js";
import { formatAgo, formatBytes, formatCount, formatDateTime, formatSpan } from "../format.js";
import { type ConfigForm, DOMAIN, errorText, type GridOptions, type HomeAssistant, isAdmin } from "../hass.js";
import { localizer, optionalKey } from "../localize.js";
import type { GatewayFeed, GatewayInterface, GatewayReport } from "../messages.js";
import { nothingYet, oldFigures } from "../phase.js";
import { type Gateway, Live } from "../store.js";
import { card } from "../styles.js";

export interface GatewayConfig {
  type: string;
  title?: string;
  entry_id?: string;
}

const REFRESH_MS = 15_000;

export class HearthwallGatewayCard extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @state() private config: GatewayConfig | undefined;
  @state() private report: GatewayReport | undefined;
  @state() private problem = "";
  private readonly live = new Live(this);
  private timer: ReturnType<typeof setInterval> | undefined;
  private asked = "";

  setConfig(config: GatewayConfig): void {
    this.config = config;
    this.asked = "";
  }

  static getStubConfig(): Partial<GatewayConfig> {
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
    return 5;
  }

  getGridOptions(): GridOptions {
    return { columns: 12, rows: "auto", min_columns: 6 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => document.visibilityState !== "hidden" && void this.ask(), REFRESH_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
    this.asked = "";
  }

  /** The gateway that is named, or the first. */
  private get gateway(): Gateway | undefined {
    const gateways = [...(this.live.store?.gateways.values() ?? [])];
    const { entry_id: wanted } = this.config ?? {};
    return wanted ? gateways.find(({ entryId }) => entryId === wanted) : gateways[0];
  }

  protected override updated(): void {
    const { gateway } = this;
    // At once where there is a gateway, and when it is back
    const asked = gateway ? `${gateway.entryId} ${gateway.connected}` : "";
    if (asked === this.asked) return;
    this.asked = asked;
    void this.ask();
  }

  private async ask(): Promise<void> {
    const { hass, gateway } = this;
    if (!hass || !gateway?.connected || !isAdmin(hass)) return;
    try {
      const report = await hass.callWS<GatewayReport>({ type: "hearthwall/gateway", entry_id: gateway.entryId });
      if (report.entry_id !== this.gateway?.entryId) return;
      this.report = report;
      this.problem = "";
    } catch (error) {
      this.problem = errorText(error);
    }
  }

  protected override render() {
    const { hass, config, gateway, report } = this;
    if (!hass || !config) return nothing;
    const t = localizer(hass);
    return html`<ha-card>
      <h2 class="card-title">${config.title || gateway?.name || t("common.gateway")}</h2>
      ${nothingYet(hass, this.live.store) ?? oldFigures(hass, this.live.store, gateway?.entryId)}
      ${this.problem ? html`<div class="notice" role="status">${this.problem}</div>` : nothing}
      ${gateway ? this.renderState(hass, gateway) : nothing}
      ${isAdmin(hass)
        ? report && report.entry_id === gateway?.entryId
          ? this.renderReport(hass, report)
          : nothing
        : html`<p class="secondary">${t("gateway.admin")}</p>`}
    </ha-card>`;
  }

  private renderState(hass: HomeAssistant, { connected, stale }: Gateway) {
    const t = localizer(hass);
    const good = connected && !stale;
    return html`<p class="state">
      <span class="dot ${good ? "good" : "bad"}" aria-hidden="true"></span>
      ${t(good ? "gateway.connected" : stale ? "gateway.silent" : "badge.lost")}
    </p>`;
  }

  private renderReport(hass: HomeAssistant, report: GatewayReport) {
    const t = localizer(hass);
    const facts: [string, string][] = [
      [t("gateway.sensor"), report.sensor_version],
      [t("gateway.integration"), report.integration_version],
      [t("gateway.uptime"), formatSpan(hass, report.uptime)],
      [t("gateway.memory"), formatBytes(hass, report.memory)],
      [t("gateway.lost"), formatCount(hass, report.lost)],
    ];
    return html`<dl>
        ${facts.map(([name, value]) => html`<dt>${name}</dt><dd class="wrap">${value}</dd>`)}
      </dl>
      <h3>${t("gateway.interfaces")}</h3>
      <ul>
        ${report.interfaces.map((each) => this.renderInterface(hass, each))}
      </ul>
      <h3>${t("gateway.feeds")}</h3>
      ${report.feeds.length
        ? html`<ul>
            ${report.feeds.map((each) => this.renderFeed(hass, each))}
          </ul>`
        : html`<p class="secondary">${t("gateway.feeds_none")}</p>`}`;
  }

  private renderInterface(hass: HomeAssistant, { name, role, xdp }: GatewayInterface) {
    const t = localizer(hass);
    return html`<li>
      <span class="cut grow" title=${name}>${name}</span>
      <span class="secondary">${t(role === "wan" ? "gateway.role.wan" : "gateway.role.lan")}</span>
      <span class="secondary mode">${t(optionalKey(`gateway.xdp.${xdp}`) ?? "gateway.xdp.unavailable")}</span>
    </li>`;
  }

  private renderFeed(hass: HomeAssistant, feed: GatewayFeed) {
    const t = localizer(hass);
    const hits = feed.packets
      ? t("gateway.feed.hits", { packets: formatCount(hass, feed.packets) })
      : t("gateway.feed.no_hits");
    const about = [
      t(feed.action === "drop" ? "gateway.feed.drop" : "gateway.feed.audit"),
      t("gateway.feed.entries", { count: formatCount(hass, feed.entries) }),
      feed.updated === null ? "" : t("gateway.feed.updated", { time: formatDateTime(hass, feed.updated) }),
      feed.last_hit === null ? "" : t("rules.last_hit", { ago: formatAgo(hass, feed.last_hit) }),
    ];
    return html`<li class="feed">
      <div class="first"><span class="cut grow" title=${feed.name}>${feed.name}</span><span>${hits}</span></div>
      <div class="secondary wrap">${about.filter(Boolean).join(" · ")}</div>
      ${feed.last_error ? html`<div class="secondary wrap problem">${feed.last_error}</div>` : nothing}
    </li>`;
  }

  static override styles = [
    card,
    css`
      h3 {
        margin: 12px 16px 4px;
        font-size: 14px;
        font-weight: 500;
        line-height: 20px;
      }
      p {
        margin: 0;
        padding: 0 16px 12px;
      }
      .state {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .dot {
        width: 10px;
        height: 10px;
        border-radius: 50%;
        background: var(--success-color, #43a047);
      }
      .dot.bad {
        background: var(--error-color, #db4437);
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 4px 16px;
        margin: 0;
        padding: 0 16px;
        line-height: 20px;
      }
      dt {
        color: var(--secondary-text-color);
      }
      dd {
        margin: 0;
        text-align: end;
      }
      ul {
        margin: 0;
        padding: 0 16px 12px;
        list-style: none;
        line-height: 20px;
      }
      li,
      .first {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 0 12px;
      }
      li {
        padding: 4px 0;
      }
      .feed {
        display: block;
      }
      .grow {
        flex: 1;
      }
      .wrap {
        overflow-wrap: anywhere;
      }
      .problem {
        color: color-mix(in srgb, var(--error-color, #db4437) 70%, var(--primary-text-color));
      }
    `,
  ];
}
