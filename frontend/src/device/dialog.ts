// A device in a dialog of its own, opened from a list; the whole screen on a phone.

import { css, html, LitElement, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import type { HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import { card, controls } from "../styles.js";

export class HearthwallDeviceDialog extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @state() private deviceId: string | undefined;
  @state() private at: "events" | undefined;
  @query("dialog") private dialog!: HTMLDialogElement;

  /** Open it, at its events if those are asked for. */
  async open(deviceId: string, at?: "events"): Promise<void> {
    this.deviceId = deviceId;
    this.at = at;
    await this.updateComplete;
    if (!this.dialog.open) this.dialog.showModal();
  }

  protected override render() {
    const { hass, deviceId } = this;
    if (!hass || !deviceId) return nothing;
    const t = localizer(hass);
    return html`<dialog
      aria-label=${t("device.device")}
      @close=${() => (this.deviceId = undefined)}
      @click=${(event: MouseEvent) => event.target === this.dialog && this.dialog.close()}
    >
      <div class="inside">
        <div class="bar">
          <button class="close" aria-label=${t("common.close")} title=${t("common.close")} @click=${() => this.dialog.close()}>
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6 18 18M18 6 6 18"></path></svg>
          </button>
        </div>
        <hearthwall-device-view .hass=${hass} .deviceId=${deviceId} .at=${this.at}></hearthwall-device-view>
      </div>
    </dialog>`;
  }

  static override styles = [
    controls,
    card,
    css`
      :host {
        display: contents;
      }
      dialog {
        box-sizing: border-box;
        width: min(920px, calc(100vw - 48px));
        max-width: none;
        height: fit-content;
        max-height: calc(100dvh - 48px);
        padding: 0;
        border: none;
        border-radius: var(--ha-dialog-border-radius, 24px);
        overflow: hidden auto;
        background: var(--ha-dialog-surface-background, var(--card-background-color, #fff));
        color: var(--primary-text-color);
        box-shadow: 0 8px 32px rgb(0 0 0 / 40%);
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 50%);
      }
      .bar {
        position: sticky;
        top: 0;
        z-index: 2;
        height: 0;
        display: flex;
        justify-content: flex-end;
      }
      .close {
        flex: none;
        width: 44px;
        height: 44px;
        margin: 10px;
        padding: 10px;
        border-radius: 50%;
        background: var(--ha-dialog-surface-background, var(--card-background-color, #fff));
      }
      svg {
        display: block;
        width: 24px;
        height: 24px;
        fill: none;
        stroke: currentcolor;
        stroke-width: 2;
        stroke-linecap: round;
      }
      hearthwall-device-view {
        --hearthwall-head-space: 52px;
      }
      @media (max-width: 600px) {
        dialog {
          width: 100vw;
          height: 100dvh;
          max-height: none;
          border-radius: 0;
        }
      }
    `,
  ];
}
