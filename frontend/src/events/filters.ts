// What is shown of the timeline: how severe it is, of which kind, and of whom.

import { html, nothing, type TemplateResult } from "lit";
import type { HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import type { Severity } from "../messages.js";
import { kindKeys } from "./kinds.js";
import { type Filter, rankOf, SEVERITIES } from "./timeline.js";

export interface FiltersView {
  filter: Filter;
  /** The mildest that the card shows at all. */
  least: Severity;
  who: readonly { id: string; name: string }[];
  kinds: readonly string[];
  onChange: (filter: Filter) => void;
}

const value = (event: globalThis.Event) => (event.target as HTMLSelectElement).value;

/** Return the choices above a timeline. */
export function filters(hass: HomeAssistant, { filter, least, who, kinds, onChange }: FiltersView): TemplateResult {
  const t = localizer(hass);
  const option = (id: string, name: string, chosen: string) =>
    html`<option value=${id} ?selected=${id === chosen}>${name}</option>`;
  return html`<div class="filters" role="group" aria-label=${t("events.filters")}>
    <select
      aria-label=${t("events.filter.severity")}
      @change=${(event: globalThis.Event) => onChange({ ...filter, severity: value(event) as Severity })}
    >
      ${SEVERITIES.filter((each) => rankOf(each) >= rankOf(least)).map((each) =>
        option(
          each,
          each === "info" ? t("events.filter.all_severities") : t("events.filter.from", { severity: t(`severity.${each}`) }),
          filter.severity,
        ),
      )}
    </select>
    <select
      aria-label=${t("events.filter.kind")}
      @change=${(event: globalThis.Event) => onChange({ ...filter, kind: value(event) || null })}
    >
      ${option("", t("events.filter.all_kinds"), filter.kind ?? "")}
      ${kinds.map((kind) => option(kind, t(kindKeys(kind).name), filter.kind ?? ""))}
    </select>
    ${who.length
      ? html`<select
          aria-label=${t("events.filter.who")}
          @change=${(event: globalThis.Event) => onChange({ ...filter, who: value(event) || null })}
        >
          ${option("", t("events.filter.all_devices"), filter.who ?? "")}
          ${who.map(({ id, name }) => option(id, name, filter.who ?? ""))}
        </select>`
      : nothing}
  </div>`;
}
