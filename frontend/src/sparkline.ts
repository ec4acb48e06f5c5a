// The last minute of a device as two small areas, download above and upload below one line.

import { css, html, LitElement, svg } from "lit";
import { property } from "lit/decorators.js";
import type { Sample } from "./store.js";

const SPAN = 60;
const WIDTH = 100;
const HALF = 14;
/** Below this a line stays flat: what little goes on always is no mountain. */
const LEAST_TOP = 2000;

/** Seconds between two samples beyond which the rate held, and did not rise or fall slowly. */
const GAP = 2;

/** Return a path from the middle outwards; a rate holds until the next one is told. */
export function area(points: readonly [number, number][], now: number, top: number, sign: 1 | -1): string {
  const x = (time: number) => (Math.max(0, 1 - (now - time) / SPAN) * WIDTH).toFixed(1);
  const y = (rate: number) => (HALF - sign * Math.sqrt(Math.min(1, rate / top)) * (HALF - 1)).toFixed(1);
  const from = points.findLastIndex(([time]) => time <= now - SPAN);
  const seen = points.slice(Math.max(0, from));
  const [first] = seen;
  const last = seen[seen.length - 1];
  if (!first || !last || seen.every(([, rate]) => rate <= 0)) return "";
  const line = seen.map(([time, rate], index) => {
    const [earlier, held] = seen[index - 1] ?? [time, rate];
    return `${time - earlier > GAP ? `L${x(time - 1)} ${y(held)}` : ""}L${x(time)} ${y(rate)}`;
  });
  return `M${x(first[0])} ${HALF}${line.join("")}L${WIDTH} ${y(last[1])}V${HALF}Z`;
}

/** Only for eyes: what it shows stands beside it in figures. */
export class HearthwallSparkline extends LitElement {
  @property({ attribute: false }) samples: readonly Sample[] = [];
  @property({ attribute: false }) now = 0;

  protected override render() {
    const top = Math.max(LEAST_TOP, ...this.samples.flatMap(({ upload, download }) => [upload, download]));
    const path = (name: "download" | "upload", sign: 1 | -1) =>
      svg`<path class=${name} d=${area(
        this.samples.map((sample) => [sample.time, sample[name]]),
        this.now,
        top,
        sign,
      )}></path>`;
    return html`<svg viewBox="0 0 ${WIDTH} ${2 * HALF}" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <line x1="0" x2=${WIDTH} y1=${HALF} y2=${HALF}></line>
      ${path("download", 1)}${path("upload", -1)}
    </svg>`;
  }

  static override styles = css`
    :host {
      display: block;
    }
    svg {
      display: block;
      width: 100%;
      height: 100%;
    }
    path {
      fill-opacity: 0.35;
      stroke-width: 1.5;
      stroke-linejoin: round;
      vector-effect: non-scaling-stroke;
    }
    .download {
      fill: var(--hearthwall-download);
      stroke: var(--hearthwall-download);
    }
    .upload {
      fill: var(--hearthwall-upload);
      stroke: var(--hearthwall-upload);
    }
    line {
      stroke: var(--hearthwall-line);
      stroke-width: 1;
      vector-effect: non-scaling-stroke;
    }
  `;
}
