// A feature of tile cards: quarantine, with its question and its countdown.

import { css, html, LitElement, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import type { HearthwallConfirm } from "../dialog.js";
import { formatLeft } from "../format.js";
import { DOMAIN, type HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import type { HearthwallNotice } from "../notice.js";
import { askQuarantine } from "../quarantine.js";
import { Live } from "../store.js";
import { controls } from "../styles.js";
import { Ticking } from "../ticking.js";

interface Context {
  entity_id?: string;
}

/** Whether an entity is a quarantine switch of ours. */
export function isQuarantineSwitch(hass: Pick<HomeAssistant, "entities">, entityId: string | undefined): boolean {
  const entity = entityId === undefined ? undefined : hass.entities[entityId];
  return entity?.platform === DOMAIN && entity.translation_key === "quarantine";
}

export class HearthwallQuarantineFeature extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @property({ attribute: false }) context?: Context | undefined;
  @state() private config: { type: string } | undefined;
  @query("hearthwall-confirm") private confirm!: HearthwallConfirm;
  @query("hearthwall-notice") private notice!: HearthwallNotice;
  private readonly live = new Live(this);

  constructor() {
    super();
    new Ticking(this, () => this.device?.row.rule?.expires != null);
  }

  static getStubConfig() {
    return { type: "custom:hearthwall-quarantine-feature" };
  }

  setConfig(config: { type: string }): void {
    this.config = config;
  }

  private get device() {
    const entity = this.hass?.entities[this.context?.entity_id ?? ""];
    return entity?.device_id ? this.live.store?.device(entity.device_id) : undefined;
  }

  protected override render() {
    const { hass, device } = this;
    if (!hass || !this.config || !isQuarantineSwitch(hass, this.context?.entity_id)) return nothing;
    const t = localizer(hass);
    const connected = device ? (this.live.store?.gateways.get(device.entryId)?.connected ?? false) : false;
    const quarantined = device?.row.quarantined ?? false;
    const expires = quarantined ? device?.row.rule?.expires : null;
    return html`
      <button
        class=${quarantined ? "on" : ""}
        ?disabled=${!connected}
        title=${connected ? "" : t("quarantine.impossible")}
        @click=${() => device && askQuarantine({ hass, confirm: this.confirm, notice: this.notice }, device)}
      >
        ${t(quarantined ? "quarantine.release" : "quarantine.confirm")}
        ${expires ? html`<span role="timer">${t("common.left", { span: formatLeft(hass, expires - Date.now() / 1000) })}</span>` : nothing}
      </button>
      <hearthwall-confirm .hass=${hass}></hearthwall-confirm>
      <hearthwall-notice compact .hass=${hass}></hearthwall-notice>
    `;
  }

  static override styles = [
    controls,
    css`
      :host {
        display: flex;
        height: var(--feature-height, 42px);
      }
      hearthwall-notice {
        flex: 0 1 auto;
        min-width: 0;
        border-radius: var(--feature-border-radius, 12px);
      }
      button {
        flex: 1;
        height: 100%;
        border-radius: var(--feature-border-radius, 12px);
        background: color-mix(in srgb, var(--primary-text-color) 8%, transparent);
        color: var(--primary-text-color);
      }
      button.on {
        background: color-mix(in srgb, var(--error-color, #db4437) 24%, transparent);
      }
      [role="timer"] {
        font-variant-numeric: tabular-nums;
        margin-inline-start: 4px;
      }
    `,
  ];
}
