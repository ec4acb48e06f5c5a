// The map itself: streams and bars as SVG, names as buttons above them.

import { html, nothing, svg, type TemplateResult } from "lit";
import { classMap } from "lit/directives/class-map.js";
import { repeat } from "lit/directives/repeat.js";
import { styleMap } from "lit/directives/style-map.js";
import type { Graph, GraphNode } from "./graph.js";
import { BAR, layoutOf, LINE, type PlacedNode, type PlacedStream } from "./layout.js";
import type { Caption } from "./words.js";

export interface ChartView {
  label: string;
  /** The colours of the first column's nodes, by id; the others are grey. */
  colours: ReadonlyMap<string, string>;
  /** The ids of what is singled out; null for all. */
  chosen: ReadonlySet<string> | null;
  pinned: string | null;
  /** The node that the tabulator key reaches. */
  reached: string | null;
  name: (node: GraphNode) => string;
  describe: (id: string) => Caption;
  onPin: (id: string | null) => void;
  onHover: (id: string | null) => void;
  onReach: (id: string) => void;
}

/** Labels that are at least so wide have room for an amount. */
const ROOM_FOR_AMOUNT = 150;

/** Return a graph as a map of a width. */
export function chart(graph: Graph, width: number, view: ChartView): TemplateResult {
  const { nodes, streams, height } = layoutOf(graph, width);
  const sources = graph.columns[0]!.map(({ id }) => id);
  const size = styleMap({ height: `${height}px` });
  return html`<div
    class=${classMap({ map: true, singled: view.chosen !== null })}
    style=${size}
    role="group"
    aria-label=${view.label}
    @pointerleave=${() => view.onHover(null)}
  >
    <svg
      viewBox=${`0 0 ${width} ${height}`}
      width=${width}
      height=${height}
      aria-hidden="true"
      @click=${() => view.pinned && view.onPin(view.pinned)}
    >
      ${repeat(
        sources,
        (id) => id,
        (id) => svg`<g class="source" stroke=${view.colours.get(id) ?? "currentColor"}>
          ${repeat(
            streams.filter(({ stream }) => stream.nodes[0] === id),
            ({ id: key }) => key,
            (each) => streamPath(each, view),
          )}
        </g>`,
      )}
      ${repeat(
        nodes,
        ({ node }) => node.id,
        (placed) => bar(placed, view),
      )}
    </svg>
    ${repeat(
      nodes,
      ({ node }) => node.id,
      (placed) => label(placed, view),
    )}
  </div>`;
}

/** Only a mouse hovers: a finger chooses with the first touch. */
const byMouse = (event: PointerEvent, then: () => void): void => {
  if (event.pointerType === "mouse") then();
};

function streamPath({ stream, path, width }: PlacedStream, view: ChartView) {
  return svg`<path
    class=${classMap({ stream: true, faded: view.chosen !== null && !view.chosen.has(stream.id) })}
    d=${path}
    stroke-width=${Math.max(1, width)}
    @pointerenter=${(event: PointerEvent) => byMouse(event, () => view.onHover(stream.id))}
    @click=${(event: MouseEvent) => {
      event.stopPropagation();
      view.onPin(stream.id);
    }}
  ></path>`;
}

function bar({ node, x, y, height }: PlacedNode, view: ChartView) {
  return svg`<rect
    class=${classMap({ bar: true, faded: view.chosen !== null && !view.chosen.has(node.id) })}
    x=${x}
    y=${y}
    width=${BAR}
    height=${height}
    rx="2"
    fill=${view.colours.get(node.id) ?? "currentColor"}
    @pointerenter=${(event: PointerEvent) => byMouse(event, () => view.onHover(node.id))}
    @click=${(event: MouseEvent) => {
      event.stopPropagation();
      view.onPin(node.id);
    }}
  ></rect>`;
}

function label({ node, label: { x, y, anchor, width } }: PlacedNode, view: ChartView) {
  const name = view.name(node);
  const isEnd = anchor === "end";
  const { amount, shown, spoken } = view.describe(node.id);
  return html`<button
    class=${classMap({
      label: true,
      end: isEnd,
      known: node.label !== null,
      faded: view.chosen !== null && !view.chosen.has(node.id),
    })}
    style=${styleMap({
      "max-width": `${width}px`,
      height: `${LINE}px`,
      transform: `translate(${x}px, ${y - LINE / 2}px)${isEnd ? " translateX(-100%)" : ""}`,
    })}
    data-node=${node.id}
    tabindex=${view.reached === node.id ? 0 : -1}
    aria-pressed=${view.pinned === node.id}
    aria-label=${spoken}
    title=${shown}
    @pointerenter=${(event: PointerEvent) => byMouse(event, () => view.onHover(node.id))}
    @focus=${() => view.onReach(node.id)}
    @click=${() => view.onPin(node.id)}
  >
    <span class="name">${name}</span>
    ${width >= ROOM_FOR_AMOUNT ? html`<span class="amount">${amount}</span>` : nothing}
  </button>`;
}
