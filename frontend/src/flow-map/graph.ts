// What moved, as a graph of columns: small nodes are joined into one, so that the rest stays readable.

import type { Dimension, Usage, UsageRow } from "../messages.js";

type Totals = Omit<Usage, "rows">;

/** A node of one column. Its id tells it from all others, and stays the same from one answer to the next. */
export interface GraphNode extends Totals {
  readonly id: string;
  readonly column: number;
  /** What it is called; null for what nobody knows, and for those that were joined. */
  readonly label: string | null;
  readonly bytes: number;
  /** How many nodes it stands for; null where the answer's limit cut off nobody knows how many. */
  readonly joined: number | null;
  /** The device in Home Assistant, if it is one. */
  readonly deviceId: string | null;
}

/** What goes through one node of each column. */
export interface Stream extends Totals {
  readonly id: string;
  /** The ids of its nodes, by column. */
  readonly nodes: readonly string[];
  readonly bytes: number;
}

export interface Graph {
  readonly columns: readonly (readonly GraphNode[])[];
  readonly streams: readonly Stream[];
  readonly bytes: number;
}

const OTHERS = "others";
const UNKNOWN = "unknown";

/** A node that is shown is not dropped for one that is hardly larger: the map would never come to rest. */
const LOYALTY = 1.25;

/** Whether a node stands for those that are too small to be shown. */
export const isOthers = (node: GraphNode): boolean => node.id === `${node.column}:${OTHERS}`;

interface Entry {
  readonly row: Totals;
  /** The value in each column; null where nobody knows, undefined for what the answer left out. */
  readonly values: readonly (string | null | undefined)[];
  readonly names: readonly (string | null)[];
  readonly deviceId: string | null;
}

interface Sums {
  upload_bytes: number;
  download_bytes: number;
  flows: number;
}

const nothing = (): Sums => ({ upload_bytes: 0, download_bytes: 0, flows: 0 });

function add(to: Sums, more: Totals): void {
  to.upload_bytes += more.upload_bytes;
  to.download_bytes += more.download_bytes;
  to.flows += more.flows;
}

const bytesOf = (sums: Totals): number => sums.upload_bytes + sums.download_bytes;

/**
 * Return the graph of an answer.
 *
 * `most` is how many nodes a column shows, those that were joined among them. What the answer's limit cut off is in
 * the totals only: it belongs to the others of every column. `shown` are the ids of the nodes that are on the screen.
 */
export function graphOf(
  usage: Usage,
  dimensions: readonly Dimension[],
  most: number,
  shown: ReadonlySet<string> = new Set(),
): Graph {
  const entries = usage.rows.filter((row) => bytesOf(row) > 0).map((row) => entryOf(row, dimensions));
  const rest = restOf(usage);
  if (bytesOf(rest) > 0) {
    entries.push({
      row: rest,
      values: dimensions.map(() => undefined),
      names: dimensions.map(() => null),
      deviceId: null,
    });
  }
  const kept = dimensions.map((_, column) => keptOf(entries, column, most, shown));
  const nodes = new Map<string, { node: Omit<GraphNode, keyof Totals | "bytes" | "joined">; sums: Sums; values: Set<unknown> }>();
  const streams = new Map<string, { nodes: string[]; sums: Sums }>();
  for (const entry of entries) {
    const ids = entry.values.map((value, column) => {
      const id = idOf(column, value, kept[column]!);
      const isOne = value !== undefined && value !== null && kept[column]!.has(value);
      let known = nodes.get(id);
      if (known === undefined) {
        const label = isOne ? (entry.names[column] ?? value) : null;
        const deviceId = isOne && column === 0 ? entry.deviceId : null;
        known = { node: { id, column, label, deviceId }, sums: nothing(), values: new Set() };
        nodes.set(id, known);
      }
      add(known.sums, entry.row);
      known.values.add(value);
      return id;
    });
    const id = JSON.stringify(ids);
    const stream = streams.get(id) ?? { nodes: ids, sums: nothing() };
    streams.set(id, stream);
    add(stream.sums, entry.row);
  }
  const all = [...nodes.values()].map(({ node, sums, values }) => ({
    ...node,
    ...sums,
    bytes: bytesOf(sums),
    joined: values.has(undefined) ? null : values.size,
  }));
  return {
    columns: dimensions.map((_, column) => all.filter((node) => node.column === column).sort(byWeight)),
    streams: [...streams].map(([id, { nodes: through, sums }]) => ({
      id,
      nodes: through,
      ...sums,
      bytes: bytesOf(sums),
    })),
    bytes: entries.reduce((sum, entry) => sum + bytesOf(entry.row), 0),
  };
}

function entryOf(row: UsageRow, dimensions: readonly Dimension[]): Entry {
  return {
    row,
    values: dimensions.map((dimension) => {
      const value = row[dimension];
      return value === null || value === undefined || value === "" ? null : value;
    }),
    names: dimensions.map((dimension) => (dimension === "mac" && row.name ? row.name : null)),
    deviceId: row.device_id ?? null,
  };
}

/** Return what is in the totals and in no row. */
function restOf({ rows, ...totals }: Usage): Totals {
  const sums = nothing();
  for (const row of rows) {
    add(sums, row);
  }
  return {
    upload_bytes: Math.max(0, totals.upload_bytes - sums.upload_bytes),
    download_bytes: Math.max(0, totals.download_bytes - sums.download_bytes),
    flows: Math.max(0, totals.flows - sums.flows),
  };
}

/** Return the values of a column that are shown by themselves. */
function keptOf(
  entries: readonly Entry[],
  column: number,
  most: number,
  shown: ReadonlySet<string>,
): ReadonlySet<string | null> {
  const weights = new Map<string | null, number>();
  let isCut = false;
  for (const { row, values } of entries) {
    const value = values[column];
    if (value === undefined) {
      isCut = true;
    } else {
      weights.set(value, (weights.get(value) ?? 0) + bytesOf(row));
    }
  }
  const loyal = (value: string | null, weight: number) =>
    shown.has(nodeId(column, value)) ? weight * LOYALTY : weight;
  const ranked = [...weights].sort(([a, aWeight], [b, bWeight]) => loyal(b, bWeight) - loyal(a, aWeight));
  const room = weights.size + (isCut ? 1 : 0) > most ? most - 1 : most;
  return new Set(ranked.slice(0, Math.max(room, 1)).map(([value]) => value));
}

const nodeId = (column: number, value: string | null): string =>
  value === null ? `${column}:${UNKNOWN}` : `${column}:=${value}`;

function idOf(column: number, value: string | null | undefined, kept: ReadonlySet<string | null>): string {
  return value === undefined || !kept.has(value) ? `${column}:${OTHERS}` : nodeId(column, value);
}

/** Sort the largest first; those that were joined come last, however many they are. */
function byWeight(a: GraphNode, b: GraphNode): number {
  return (
    Number(isOthers(a)) - Number(isOthers(b)) || b.bytes - a.bytes || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

/** Return the ids of the streams and nodes that a node, or a stream, is part of; null for all of them. */
export function isolated(graph: Graph, chosen: string | null): ReadonlySet<string> | null {
  const streams = graph.streams.filter(({ id, nodes }) => id === chosen || nodes.some((node) => node === chosen));
  return streams.length ? new Set(streams.flatMap(({ id, nodes }) => [id, ...nodes])) : null;
}
