// What a card says in place of figures, or above figures that are old.

import { html, nothing, type TemplateResult } from "lit";
import { formatTime } from "./format.js";
import { DOMAIN, type HomeAssistant } from "./hass.js";
import { localizer } from "./localize.js";
import type { LiveStore } from "./store.js";

/** Return the message where there is nothing to show (yet), else undefined. */
export function nothingYet(hass: HomeAssistant, store: LiveStore | undefined): TemplateResult | undefined {
  if (store?.gateways.size) return undefined;
  const t = localizer(hass);
  const absent = !hass.config.components.includes(DOMAIN) && store?.phase !== "offline";
  return html`<div class="message" role="status">${t(absent ? "common.absent" : "common.loading")}</div>`;
}

/** Return a notice for each gateway whose figures are old: since when, and whose fault it is. */
export function oldFigures(hass: HomeAssistant, store: LiveStore | undefined, entryId?: string) {
  const t = localizer(hass);
  const gateways = [...(store?.gateways.values() ?? [])];
  const lost = gateways.filter((gateway) => !gateway.connected && (!entryId || gateway.entryId === entryId));
  if (!lost.length) return nothing;
  const time = (heard: number) => formatTime(hass, heard);
  if (store?.phase === "offline" || store?.phase === "absent") {
    const heard = Math.max(...lost.map((gateway) => gateway.heard));
    return html`<div class="notice" role="status">${t("common.offline", { time: time(heard) })}</div>`;
  }
  return lost.map(
    ({ name, heard }) =>
      html`<div class="notice" role="status">
        ${gateways.length > 1
          ? t("common.lost_named", { gateway: name, time: time(heard) })
          : t("common.lost", { time: time(heard) })}
      </div>`,
  );
}
