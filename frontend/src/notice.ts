// What was done, told politely, with a way back while it is fresh.

import { css, html, LitElement, nothing } from "lit";
import { property, state } from "lit/decorators.js";
import { errorText, type HomeAssistant } from "./hass.js";
import { localizer } from "./localize.js";
import type { Undo } from "./orders.js";
import { card, controls } from "./styles.js";

const SHOWN_MS = 12_000;

export class HearthwallNotice extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  /** Where there is no room for a sentence: it is read out, and the way back is but a button. */
  @property({ type: Boolean, reflect: true }) compact = false;
  @state() private text = "";
  @state() private unseen = "";
  @state() private undo: Undo | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Tell of what the user has just done. */
  show(text: string, undo?: Undo): void {
    this.text = text;
    this.undo = undo;
    this.hide();
  }

  /** Tell those who do not see the screen of what somebody else did. */
  announce(text: string): void {
    this.unseen = text;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  private hide(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      // Not while somebody is at the button
      if (this.matches(":hover, :focus-within")) this.hide();
      else this.text = "";
    }, SHOWN_MS);
  }

  protected override render() {
    return html`
      <div class="bar" ?hidden=${!this.text}>
        <span role="status" class=${this.compact ? (this.undo ? "unseen" : "cut") : ""} title=${this.text}>${this.text}</span>
        ${this.undo
          ? html`<button class="quiet" @click=${this.onUndo}>${localizer(this.hass)("common.undo")}</button>`
          : nothing}
      </div>
      <span class="unseen" role="status">${this.unseen}</span>
    `;
  }

  private readonly onUndo = async (): Promise<void> => {
    const { undo } = this;
    this.undo = undefined;
    if (!undo) return;
    const t = localizer(this.hass);
    this.text = t("common.busy");
    try {
      await undo();
      this.text = t("common.undone");
    } catch (error) {
      this.text = errorText(error);
    }
    this.hide();
  };

  static override styles = [
    controls,
    card,
    css`
      :host {
        position: relative;
        display: block;
      }
      .bar {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 12px;
        margin: 8px 16px 12px;
        padding: 8px 8px 8px 16px;
        border-radius: 12px;
        background: color-mix(in srgb, var(--primary-color) 14%, var(--card-background-color));
        line-height: 20px;
        overflow-wrap: anywhere;
      }
      :host([compact]) .bar {
        height: 100%;
        margin: 0;
        margin-inline-start: 8px;
        padding: 0;
        background: none;
      }
      :host([compact]) button {
        height: 100%;
        border-radius: inherit;
      }
      .bar[hidden] {
        display: none;
      }
    `,
  ];
}
