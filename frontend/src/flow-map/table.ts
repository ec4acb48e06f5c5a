// What the map shows, as a table: for screen readers, and for who wants figures.

import { html, type TemplateResult } from "lit";
import { formatBytes } from "../format.js";
import type { HomeAssistant } from "../hass.js";
import { type Key, localizer } from "../localize.js";
import type { Dimension } from "../messages.js";
import type { Graph } from "./graph.js";
import { nameOf } from "./words.js";

/** Return the streams of a graph as rows, the largest first. */
export function table(hass: HomeAssistant, graph: Graph, dimensions: readonly Dimension[]): TemplateResult {
  const t = localizer(hass);
  const nodes = new Map(graph.columns.flat().map((node) => [node.id, node]));
  const streams = [...graph.streams].sort((one, other) => other.bytes - one.bytes);
  const sum = (key: "upload_bytes" | "download_bytes") => streams.reduce((all, each) => all + each[key], 0);
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("map.label")}>
    <table>
      <thead>
        <tr>
          ${dimensions.map((dimension) => html`<th scope="col">${t(`map.column.${dimension}` as Key)}</th>`)}
          <th scope="col" class="number">${t("map.upload")}</th>
          <th scope="col" class="number">${t("map.download")}</th>
        </tr>
      </thead>
      <tbody>
        ${streams.map(
          (stream) => html`<tr>
            ${stream.nodes.map((id) => html`<td>${nameOf(hass, nodes.get(id)!, dimensions)}</td>`)}
            <td class="number">${formatBytes(hass, stream.upload_bytes)}</td>
            <td class="number">${formatBytes(hass, stream.download_bytes)}</td>
          </tr>`,
        )}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row" colspan=${dimensions.length}>${t("map.all")}</th>
          <td class="number">${formatBytes(hass, sum("upload_bytes"))}</td>
          <td class="number">${formatBytes(hass, sum("download_bytes"))}</td>
        </tr>
      </tfoot>
    </table>
  </div>`;
}
