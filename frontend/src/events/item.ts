// One event of the timeline: what happened, when and of whom; all else when it is opened.

import { mdiChevronDown } from "@mdi/js";
import { html, nothing, type TemplateResult } from "lit";
import { classMap } from "lit/directives/class-map.js";
import { formatCount, formatDateTime } from "../format.js";
import { type Key, localizer } from "../localize.js";
import type { Event } from "../messages.js";
import { details, type DetailsView } from "./details.js";
import { text } from "./evidence.js";
import { icon, severityIcon } from "./icons.js";
import { kindKeys } from "./kinds.js";
import { whoName } from "./orders.js";
import { keyOf, SEVERITIES } from "./timeline.js";

export interface ItemView extends DetailsView {
  open: boolean;
  /** When it was, in words. */
  when: string;
  /** Whether it came while somebody was looking. */
  fresh: boolean;
  onToggle: () => void;
}

/** Return an event as an item of a list. */
export function item(event: Event, view: ItemView): TemplateResult {
  const { hass, open, when, fresh, onToggle } = view;
  const t = localizer(hass);
  const severity = SEVERITIES.includes(event.severity) ? event.severity : "info";
  const peer = text(event.peer_name ?? event.peer_address);
  const id = `details-${keyOf(event)}`;
  return html`<li class=${classMap({ event: true, open, fresh, [severity]: true })}>
    <button class="line" aria-expanded=${open} aria-controls=${id} data-event=${keyOf(event)} @click=${onToggle}>
      <span class="badge">${severityIcon(severity)}</span>
      <span class="words">
        <span class="first">
          <span class="kind cut">${t(kindKeys(event.kind).name)}</span>
          <span class="severity">${t(`severity.${severity}` as Key)}</span>
          ${event.count > 1
            ? html`<span class="severity">${t("events.times", { count: formatCount(hass, event.count) })}</span>`
            : nothing}
          <time datetime=${new Date(event.time * 1000).toISOString()} title=${formatDateTime(hass, event.time)}>${when}</time>
        </span>
        <span class="second">
          <span class="who">${whoName(event)}</span>${peer ? html`<span class="peer"> → ${peer}</span>` : nothing}
        </span>
        <span class="summary">${text(event.summary)}</span>
      </span>
      <span class="chevron">${icon(mdiChevronDown)}</span>
    </button>
    <div id=${id} class="details" ?hidden=${!open}>${open ? details(event, view) : nothing}</div>
  </li>`;
}
