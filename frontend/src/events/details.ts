// What is shown of an event when it is opened: what it means, the evidence, and what can be done.

import { applicationName } from "../applications.js";
import { mdiLightbulbOutline } from "@mdi/js";
import { html, nothing, type TemplateResult } from "lit";
import { formatBytes, formatDateTime } from "../format.js";
import type { HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import type { Event, EventDetails } from "../messages.js";
import type { LiveStore } from "../store.js";
import { type Evidence, evidenceOf, text } from "./evidence.js";
import { icon } from "./icons.js";
import { kindKeys, OF_PROGRAMS } from "./kinds.js";
import { culpritDevice, culpritName, fitting, whoName } from "./orders.js";

const TECHNIQUE = /^T\d{4}(\.\d{3})?$/;

/** What the sensor said of an event: undefined until it did, or why it did not. */
export type Asked = EventDetails | { problem: string } | undefined;

export type Order = "accept" | "block" | "quarantine" | "stop";

export interface DetailsView {
  hass: HomeAssistant;
  store: LiveStore | undefined;
  asked: Asked;
  /** Whether the user has said that it is fine. */
  accepted: boolean;
  onOrder: (order: Order, details: EventDetails) => void;
  onRetry: () => void;
}

/** Return the details of an event. */
export function details(event: Event, view: DetailsView): TemplateResult {
  const { hass, asked } = view;
  const t = localizer(hass);
  const keys = kindKeys(event.kind);
  const answer = asked && "event" in asked ? asked : undefined;
  const full = answer?.event ?? event;
  // Most kinds are of devices, and may be told of a program of the gateway all the same
  const isOfProgram = !OF_PROGRAMS.has(event.kind) && (answer?.program != null || (event.mac === null && event.process !== null));
  return html`
    <p>${t(keys.meaning)} ${isOfProgram ? t("events.of_program") : nothing}</p>
    <p class="advice">
      ${icon(mdiLightbulbOutline)}<span>${t(isOfProgram ? "events.of_program.advice" : keys.advice)}</span>
    </p>
    ${orders(event, view)}
    <h4>${t("events.evidence")}</h4>
    ${facts(hass, full, evidenceOf(hass, full))}
    ${asked === undefined ? html`<p class="secondary" role="status">${t("common.busy")}</p>` : nothing}
    ${asked && "problem" in asked
      ? html`<p class="secondary" role="alert">
          ${t("events.unanswered", { reason: asked.problem })}
          <button class="quiet" @click=${view.onRetry}>${t("events.again")}</button>
        </p>`
      : nothing}
  `;
}

function orders(event: Event, view: DetailsView): TemplateResult | typeof nothing {
  const { hass, store, asked, accepted, onOrder } = view;
  if (!asked || !("event" in asked)) return nothing;
  const t = localizer(hass);
  if (store?.isReadOnly(event.entry_id)) return html`<p class="secondary">${t("orders.read_only")}</p>`;
  const { accept, peer, culprit, program } = fitting(asked);
  const isCutOff = culprit !== null && culpritDevice(store, event, culprit)?.row.quarantined;
  const name = culprit === null ? "" : culpritName(store, event, culprit);
  const buttons = [
    accept
      ? html`<button class="quiet" ?disabled=${accepted} @click=${() => onOrder("accept", asked)}>
          ${t(accepted ? "events.is_accepted" : "events.accept")}
        </button>`
      : nothing,
    peer === null
      ? nothing
      : html`<button class="quiet cut" title=${text(peer)} @click=${() => onOrder("block", asked)}>
          ${t("events.block.peer", { peer: text(peer) })}
        </button>`,
    culprit === null
      ? nothing
      : html`<button class="quiet cut" title=${name} @click=${() => onOrder("quarantine", asked)}>
          ${t(isCutOff ? "events.release" : "events.quarantine", { name })}
        </button>`,
    program === null
      ? nothing
      : html`<button class="quiet cut" title=${text(program)} @click=${() => onOrder("stop", asked)}>
          ${t("events.stop", { name: whoName(event) })}
        </button>`,
  ];
  return html`
    ${asked.has_ended && program === null ? html`<p class="secondary">${t("events.ended")}</p>` : nothing}
    ${buttons.every((each) => each === nothing) ? nothing : html`<div class="orders">${buttons}</div>`}
  `;
}

function facts(hass: HomeAssistant, event: Event, evidence: Evidence): TemplateResult {
  const t = localizer(hass);
  const { technique } = event;
  const link =
    technique && TECHNIQUE.test(technique)
      ? html`<a
          href=${`https://attack.mitre.org/techniques/${technique.replace(".", "/")}/`}
          target="_blank"
          rel="noreferrer noopener"
          >${technique}</a
        >`
      : nothing;
  const peer = [text(event.peer_name), text(event.peer_address)].filter(Boolean);
  const rows: (readonly [string, unknown])[] = [
    [t("events.why"), evidence.why],
    [t("events.program"), text(event.process)],
    [t("events.peer"), [...new Set(peer)].join(" · ")],
    [t("events.subject"), text(event.kind === "forbidden_protocol" ? applicationName(event.subject) : event.subject)],
    ...evidence.measured,
    [t("events.detector"), evidence.detector],
    [t("events.technique"), link],
    [t("events.gateway"), text(event.gateway)],
    [
      t("events.last"),
      event.count > 1 && event.last_time ? formatDateTime(hass, event.last_time) : "",
    ],
  ];
  return html`
    <dl>
      ${rows
        .filter(([, said]) => said !== "" && said !== nothing)
        .map(
          ([label, said]) =>
            html`<div>
              <dt>${label}</dt>
              <dd>${said}</dd>
            </div>`,
        )}
    </dl>
    ${flows(hass, evidence)} ${processes(hass, evidence)}
  `;
}

function flows(hass: HomeAssistant, { flows: shown }: Evidence): TemplateResult | typeof nothing {
  if (!shown.length) return nothing;
  const t = localizer(hass);
  const amount = (bytes: number | null) => (bytes === null ? "" : formatBytes(hass, bytes));
  return html`<table>
    <caption>
      ${t("events.flows")}
    </caption>
    <thead>
      <tr>
        <th scope="col">${t("events.peer")}</th>
        <th scope="col">${t("events.protocol")}</th>
        <th scope="col" class="number">${t("map.upload")}</th>
        <th scope="col" class="number">${t("map.download")}</th>
      </tr>
    </thead>
    <tbody>
      ${shown.map(
        (flow) =>
          html`<tr>
            <td class="mono">${flow.peer}</td>
            <td>${flow.what}</td>
            <td class="number">${amount(flow.upload)}</td>
            <td class="number">${amount(flow.download)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function processes(hass: HomeAssistant, { processes: chain, files }: Evidence): TemplateResult | typeof nothing {
  if (!chain.length && !files.length) return nothing;
  const t = localizer(hass);
  return html`
    ${chain.length
      ? html`<h5>${t("events.processes")}</h5>
          <ol class="chain">
            ${chain.map(
              (each) =>
                html`<li>
                  <span class="mono">${each.program}</span>
                  ${each.pid === null ? nothing : html`<span class="secondary">${each.pid}</span>`}
                  ${each.commandLine ? html`<div class="mono secondary">${each.commandLine}</div>` : nothing}
                </li>`,
            )}
          </ol>`
      : nothing}
    ${files.length
      ? html`<h5>${t("events.files")}</h5>
          <ul class="chain">
            ${files.map((each) => html`<li class="mono">${each.path}</li>`)}
          </ul>`
      : nothing}
  `;
}
