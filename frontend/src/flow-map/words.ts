// A graph's nodes and streams in words.

import { applicationName } from "../applications.js";
import { formatBytes, formatCountry, formatPercent } from "../format.js";
import type { HomeAssistant } from "../hass.js";
import { type Key, localizer } from "../localize.js";
import type { Dimension } from "../messages.js";
import { type Graph, type GraphNode, isOthers } from "./graph.js";

/** Longer names are of no use in a map: some devices' and hosts' are whole sentences. */
const LONGEST = 80;

const asItIs = (_: HomeAssistant, label: string): string => label;

/** How labels of some dimensions are written. */
const SAID: Partial<Record<Dimension, (hass: HomeAssistant, label: string) => string>> = {
  country: formatCountry,
  application: (_, label) => applicationName(label),
};

/** Return what a node is called. */
export function nameOf(hass: HomeAssistant, node: GraphNode, dimensions: readonly Dimension[]): string {
  const t = localizer(hass);
  if (isOthers(node)) return node.joined === null ? t("map.others") : t("map.others.count", { count: node.joined });
  const dimension = dimensions[node.column]!;
  // Of some flows the sensor itself says that it does not know what they are
  if (node.label === null || (dimension === "application" && node.label === "unknown")) return t(`map.unknown.${dimension}` as Key);
  const name = (SAID[dimension] ?? asItIs)(hass, node.label);
  return name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name;
}

export interface Caption {
  amount: string;
  /** As it stands below the map. */
  shown: string;
  /** As it is read out. */
  spoken: string;
}

/** Return what is known of a node or a stream, or of all. */
export function caption(
  hass: HomeAssistant,
  graph: Graph,
  chosen: string | null,
  dimensions: readonly Dimension[],
): Caption {
  const t = localizer(hass);
  const nodes = graph.columns.flat();
  const node = nodes.find(({ id }) => id === chosen);
  const stream = graph.streams.find(({ id }) => id === chosen);
  const sums = node ?? stream ?? total(graph);
  const name = node
    ? nameOf(hass, node, dimensions)
    : stream
      ? stream.nodes.map((id) => nameOf(hass, nodes.find((each) => each.id === id)!, dimensions)).join(" → ")
      : t("map.all");
  const amount = formatBytes(hass, sums.bytes);
  const share = formatPercent(hass, graph.bytes ? sums.bytes / graph.bytes : 0);
  const parts = [
    `${t("map.upload")} ${formatBytes(hass, sums.upload_bytes)}`,
    `${t("map.download")} ${formatBytes(hass, sums.download_bytes)}`,
  ];
  return {
    amount,
    shown: [name, node || stream ? `${amount} (${share})` : amount, ...parts].join(" · "),
    spoken: node
      ? t("map.node", { column: t(`map.column.${dimensions[node.column]!}` as Key), name, amount, share })
      : `${name}, ${amount}`,
  };
}

function total(graph: Graph): { bytes: number; upload_bytes: number; download_bytes: number } {
  const sum = (key: "upload_bytes" | "download_bytes") => graph.streams.reduce((all, each) => all + each[key], 0);
  return { bytes: graph.bytes, upload_bytes: sum("upload_bytes"), download_bytes: sum("download_bytes") };
}
