// Search, sort and filters above the list: the browser's own fields, so that every keyboard and reader knows them.

import { html, nothing } from "lit";
import { compareNames } from "../format.js";
import type { HomeAssistant, Label } from "../hass.js";
import { localizer } from "../localize.js";
import { type Filter, SHOWN, type Shown, type Sort, SORTS } from "./list.js";

export interface Settings extends Filter {
  sort: Sort;
}

interface Option {
  value: string;
  label: string;
}

const select = (label: string, options: Option[], chosen: string, change: (value: string) => void) =>
  html`<label class="field">
    <span>${label}</span>
    <select aria-label=${label} @change=${(event: globalThis.Event) => change((event.target as HTMLSelectElement).value)}>
      ${options.map((each) => html`<option value=${each.value} ?selected=${each.value === chosen}>${each.label}</option>`)}
    </select>
  </label>`;

/** Return the toolbar; areas and labels only where devices have some. */
export function toolbar(
  hass: HomeAssistant,
  settings: Settings,
  areas: ReadonlySet<string>,
  labels: readonly Label[],
  change: (changed: Partial<Settings>) => void,
) {
  const t = localizer(hass);
  const names = compareNames(hass);
  const named = (options: Option[], all: string) => [
    { value: "", label: all },
    ...options.sort((one, other) => names(one.label, other.label)),
  ];
  return html`<div class="toolbar" role="search">
    <label class="field search"><span>${t("devices.search_label")}</span><input
      type="search"
      autocomplete="off"
      spellcheck="false"
      maxlength="100"
      placeholder=${t("devices.search")}
      aria-label=${t("devices.search")}
      .value=${settings.search}
      @input=${(event: InputEvent) => change({ search: (event.target as HTMLInputElement).value })}
    /></label>
    ${select(
      t("devices.show"),
      SHOWN.map((value) => ({ value, label: t(`devices.show.${value}`) })),
      settings.shown,
      (value) => change({ shown: value as Shown }),
    )}
    ${select(
      t("devices.sort"),
      SORTS.map((value) => ({ value, label: t(`devices.sort.${value}`) })),
      settings.sort,
      (value) => change({ sort: value as Sort }),
    )}
    ${areas.size
      ? select(
          t("devices.area"),
          named(
            [...areas].map((value) => ({ value, label: hass.areas[value]?.name ?? value })),
            t("devices.areas_all"),
          ),
          settings.areas[0] ?? "",
          (value) => change({ areas: value ? [value] : [] }),
        )
      : nothing}
    ${labels.length
      ? select(
          t("devices.label"),
          named(
            labels.map(({ label_id: value, name: label }) => ({ value, label })),
            t("devices.labels_all"),
          ),
          settings.labels[0] ?? "",
          (value) => change({ labels: value ? [value] : [] }),
        )
      : nothing}
  </div>`;
}
