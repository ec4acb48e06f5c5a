// The device card: one device of the home.

import { html, LitElement, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { formTexts } from "../form.js";
import { type ConfigForm, DOMAIN, type GridOptions, type HomeAssistant } from "../hass.js";
import { liveStore } from "../store.js";
import { card } from "../styles.js";

export interface DeviceConfig {
  type: string;
  device_id?: string;
  title?: string;
}

export class HearthwallDeviceCard extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @state() private config: DeviceConfig | undefined;

  setConfig(config: DeviceConfig): void {
    this.config = config;
  }

  /** Propose the device of ours that moved most today, or the first. */
  static getStubConfig(hass: HomeAssistant): Partial<DeviceConfig> {
    const moved = [...liveStore(hass.connection).devices()]
      .filter(({ row }) => row.device_id !== null)
      .sort(({ row: one }, { row: other }) => other.download_today - one.download_today);
    const first = Object.values(hass.entities).find(
      ({ platform, translation_key: key }) => platform === DOMAIN && key === "quarantine",
    );
    const id = moved[0]?.row.device_id ?? first?.device_id;
    return id ? { device_id: id } : {};
  }

  static getConfigForm(): ConfigForm {
    return {
      schema: [
        {
          name: "device_id",
          required: true,
          selector: { device: { filter: { integration: DOMAIN }, entity: { domain: "switch", integration: DOMAIN } } },
        },
        { name: "title", selector: { text: {} } },
      ],
      ...formTexts(),
    };
  }

  getCardSize(): number {
    return 10;
  }

  getGridOptions(): GridOptions {
    return { columns: 12, rows: "auto", min_columns: 6, min_rows: 4 };
  }

  protected override render() {
    const { hass, config } = this;
    if (!hass || !config) return nothing;
    return html`<ha-card>
      <hearthwall-device-view
        .hass=${hass}
        .deviceId=${config.device_id}
        .heading=${config.title || undefined}
      ></hearthwall-device-view>
    </ha-card>`;
  }

  static override styles = card;
}
