// A day of a device as bars, download above and upload below one line; what is pointed at is told in words.

import { css, html, LitElement, nothing, svg } from "lit";
import { property, state } from "lit/decorators.js";
import { formatBytes, formatDateTime, formatTime } from "../format.js";
import type { HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import type { Span } from "./data.js";

const WIDTH = 960;
const HEIGHT = 120;
/** Each way has at least this share of the height. */
const LEAST = 0.15;
const LABELS = 4;

export class HearthwallHistory extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @property({ attribute: false }) spans: readonly Span[] = [];
  /** When the statistics began, in milliseconds, if not a day ago. */
  @property({ attribute: false }) began?: number | undefined;
  @state() private at: number | undefined;

  protected override render() {
    const { hass, spans } = this;
    if (!hass || !spans.length) return nothing;
    const t = localizer(hass);
    const top = Math.max(1, ...spans.map(({ download }) => download));
    const bottom = Math.max(1, ...spans.map(({ upload }) => upload));
    // One scale for both ways
    const line = Math.round(HEIGHT * Math.min(1 - LEAST, Math.max(LEAST, top / (top + bottom))));
    const scale = Math.max(top / (line - 2), bottom / (HEIGHT - line - 2));
    const step = WIDTH / spans.length;
    const bar = (name: "download" | "upload", span: Span, index: number) => {
      const height = span[name] && Math.max(1.5, span[name] / scale);
      const y = name === "download" ? line - 1 - height : line + 1;
      return height
        ? svg`<rect class=${name} x=${index * step + 1} y=${y} width=${step - 2} height=${height} rx="1.5"></rect>`
        : nothing;
    };
    const sum = (name: "download" | "upload") => formatBytes(hass, spans.reduce((all, span) => all + span[name], 0));
    const moved = { download: sum("download"), upload: sum("upload") };
    const whole =
      this.began === undefined
        ? t("device.history_sum", moved)
        : t("device.history_began", { ...moved, time: formatDateTime(hass, this.began / 1000) });
    const span = this.at === undefined ? undefined : spans[this.at];
    const words =
      span &&
      t("device.history_at", {
        time: formatTime(hass, span.start / 1000),
        download: formatBytes(hass, span.download),
        upload: formatBytes(hass, span.upload),
      });
    return html`
      <div class="words" aria-live="polite">${words ?? whole}</div>
      <svg
        viewBox="0 0 ${WIDTH} ${HEIGHT}"
        preserveAspectRatio="none"
        role="img"
        tabindex="0"
        aria-label=${words ?? `${t("device.history")}: ${whole}`}
        @pointermove=${this.onPointer}
        @pointerdown=${this.onPointer}
        @pointerleave=${() => (this.at = undefined)}
        @keydown=${this.onKey}
        @blur=${() => (this.at = undefined)}
      >
        ${this.at === undefined
          ? nothing
          : svg`<rect class="at" x=${this.at * step} y="0" width=${step} height=${HEIGHT}></rect>`}
        ${spans.map((each, index) => [bar("download", each, index), bar("upload", each, index)])}
        <line x1="0" x2=${WIDTH} y1=${line} y2=${line}></line>
      </svg>
      <div class="times" aria-hidden="true">
        ${Array.from({ length: LABELS + 1 }, (_, index) => {
          const last = spans[spans.length - 1]?.start ?? 0;
          const first = spans[0]?.start ?? 0;
          return html`<span>${formatTime(hass, (first + ((last - first) * index) / LABELS) / 1000)}</span>`;
        })}
      </div>
    `;
  }

  private readonly onPointer = (event: PointerEvent): void => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    this.at = Math.min(this.spans.length - 1, Math.max(0, Math.floor(share * this.spans.length)));
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move) return;
    event.preventDefault();
    this.at = Math.min(this.spans.length - 1, Math.max(0, (this.at ?? this.spans.length) + move));
  };

  static override styles = css`
    :host {
      display: block;
      font-variant-numeric: tabular-nums;
    }
    .words {
      min-height: 20px;
      margin-bottom: 4px;
      line-height: 20px;
      color: var(--secondary-text-color);
    }
    svg {
      display: block;
      width: 100%;
      height: 120px;
      touch-action: pan-y;
      border-radius: 4px;
    }
    svg:focus-visible {
      outline: 2px solid var(--primary-color);
      outline-offset: 2px;
    }
    .download {
      fill: var(--hearthwall-download);
    }
    .upload {
      fill: var(--hearthwall-upload);
    }
    .at {
      fill: var(--primary-text-color);
      fill-opacity: 0.12;
    }
    line {
      stroke: var(--hearthwall-line);
      vector-effect: non-scaling-stroke;
    }
    .times {
      display: flex;
      justify-content: space-between;
      margin-top: 4px;
      font-size: 11px;
      line-height: 16px;
      color: var(--secondary-text-color);
    }
  `;
}
