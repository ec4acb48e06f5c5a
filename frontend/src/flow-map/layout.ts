// Where the nodes and streams of a graph are drawn.

import { sankey } from "d3-sankey";
import type { Graph, GraphNode, Stream } from "./graph.js";

/** The height of a label's line: centres of nodes are never nearer to each other. */
export const LINE = 24;
/** How wide a node is. */
export const BAR = 10;
/** Narrower than this, the map is condensed. */
const NARROW = 560;
/** The room that a node has in a column, for itself and the gap beside it. */
const ROOM = 44;
const ROOM_NARROW = 42;
const LEAST_HEIGHT = 180;
/** A wide map is so much of its width high, and no more than fits a screen. */
const SHAPE = 0.34;
const SCREEN = 560;
/** Between a bar and its label, and between two labels that share a gap. */
const GAP = 8;
/** Where the bar of the middle column is: the last gap holds the labels of two columns. */
const MIDDLE = 0.42;
const MIDDLE_NARROW = 0.36;

export interface PlacedNode {
  readonly node: GraphNode;
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly label: { readonly x: number; readonly y: number; readonly anchor: "start" | "end"; readonly width: number };
}

export interface PlacedStream {
  /** The stream's id with the number of its part. */
  readonly id: string;
  readonly stream: Stream;
  readonly path: string;
  readonly width: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly streams: readonly PlacedStream[];
}

interface Vertex {
  readonly node: GraphNode;
}

interface Edge {
  readonly stream: Stream;
  readonly part: number;
}

/** Return how many nodes a column of a map so wide shows. */
export const mostNodes = (width: number): number => (width < NARROW ? 7 : width < 1000 ? 9 : 12);

/** Return the height that a graph needs. */
export function heightOf(graph: Graph, width: number): number {
  const most = Math.max(1, ...graph.columns.map((column) => column.length));
  const shape = width < NARROW ? 0 : Math.min(SCREEN, Math.round(width * SHAPE));
  return Math.max(LEAST_HEIGHT, shape, most * (width < NARROW ? ROOM_NARROW : ROOM));
}

/** Place a graph into a width. */
export function layoutOf(graph: Graph, width: number): Layout {
  const height = heightOf(graph, width);
  if (graph.streams.length === 0 || width < 3 * BAR) {
    return { width, height, nodes: [], streams: [] };
  }
  const last = graph.columns.length - 1;
  const order = new Map(graph.columns.flatMap((column) => column.map(({ id }, place) => [id, place] as const)));
  const placed = sankey<Vertex, Edge>()
    .nodeId(({ node }) => node.id)
    .nodeAlign(({ node }) => node.column)
    .nodeSort((a, b) => order.get(a.node.id)! - order.get(b.node.id)!)
    .nodeWidth(BAR)
    .nodePadding(LINE)
    // Half a line above the first and below the last: their labels are as high as a line, however thin they are
    .extent([
      [0, LINE / 2],
      [width, height - LINE / 2],
    ])({
    nodes: graph.columns.flat().map((node) => ({ node })),
    links: graph.streams.flatMap((stream) =>
      stream.nodes.slice(1).map((target, part) => ({
        source: stream.nodes[part]!,
        target,
        value: stream.bytes,
        stream,
        part,
      })),
    ),
  });
  const lefts = leftsOf(width, last);
  return {
    width,
    height,
    nodes: placed.nodes.map((each) => placedNode(each.node, each.y0!, each.y1!, lefts, width)),
    streams: placed.links.map(({ stream, part, y0, y1, width: thick }) => ({
      id: `${stream.id}#${part}`,
      stream,
      path: pathOf(lefts[part]! + BAR, y0!, lefts[part + 1]!, y1!),
      width: thick!,
    })),
  };
}

/** Return where the bars of each column begin. */
export function leftsOf(width: number, last: number): readonly number[] {
  const room = width - BAR;
  const middle = width < NARROW ? MIDDLE_NARROW : MIDDLE;
  return Array.from({ length: last + 1 }, (_, column) =>
    Math.round(column === 0 ? 0 : column === last ? room : room * middle),
  );
}

function placedNode(
  node: GraphNode,
  top: number,
  bottom: number,
  lefts: readonly number[],
  width: number,
): PlacedNode {
  const { column } = node;
  const left = lefts[column]!;
  const isLast = column === lefts.length - 1;
  // The last column's labels stand before their bars, and share the gap with those of the column before
  const gap = (isLast ? width - BAR : lefts[column + 1]!) - (isLast ? lefts[column - 1]! : left) - BAR;
  const shared = column >= lefts.length - 2 ? gap / 2 : gap;
  return {
    node,
    x: left,
    y: round(top),
    height: Math.max(2, round(bottom - top)),
    label: {
      x: isLast ? left - GAP : left + BAR + GAP,
      y: round((top + bottom) / 2),
      anchor: isLast ? "end" : "start",
      width: Math.max(0, Math.floor(shared - GAP * 1.5)),
    },
  };
}

/** Return a stream's middle line. */
function pathOf(fromX: number, fromY: number, toX: number, toY: number): string {
  const middle = round((fromX + toX) / 2);
  return `M${fromX},${round(fromY)}C${middle},${round(fromY)} ${middle},${round(toY)} ${toX},${round(toY)}`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
