// What a card says in place of figures, or above figures that are old.

import { html, nothing, type TemplateResult } from "lit";
import { formatClock } from "./format.js";
import { DOMAIN, type HomeAssistant, isAdmin } from "./hass.js";
import { localizer } from "./localize.js";
import type { LiveStore } from "./store.js";

/** Return a link to what Home Assistant says is wrong; only administrators may go there. */
const repairs = (hass: HomeAssistant) =>
  isAdmin(hass) ? html` <a href="/config/repairs">${localizer(hass)("common.repairs")}</a>` : nothing;

/** Return the message where there is nothing to show, and no sensor to wait for. */
export const notConnected = (hass: HomeAssistant): TemplateResult =>
  html`<div class="message" role="status">${localizer(hass)("common.not_connected")}${repairs(hass)}</div>`;

/** Return the message where there is nothing to show (yet), else undefined. */
export function nothingYet(hass: HomeAssistant, store: LiveStore | undefined): TemplateResult | undefined {
  if (store?.gateways.size) return undefined;
  const t = localizer(hass);
  const absent = !hass.config.components.includes(DOMAIN) && store?.phase !== "offline";
  if (!absent && store?.missing) {
    return notConnected(hass);
  }
  return html`<div class="message" role="status">${t(absent ? "common.absent" : "common.loading")}</div>`;
}

/** Return a notice for each gateway whose figures are old: since when, and whose fault it is. */
export function oldFigures(hass: HomeAssistant, store: LiveStore | undefined, entryId?: string) {
  const t = localizer(hass);
  const gateways = [...(store?.gateways.values() ?? [])];
  const lost = gateways.filter(
    (gateway) => (!gateway.connected || gateway.stale) && (!entryId || gateway.entryId === entryId),
  );
  if (!lost.length) return nothing;
  const time = (heard: number) => formatClock(hass, heard);
  if (store?.phase === "offline" || store?.phase === "absent") {
    const heard = Math.max(...lost.map((gateway) => gateway.heard));
    return html`<div class="notice" role="status">${t("common.offline", { time: time(heard) })}</div>`;
  }
  return lost.map(({ name, heard, stale }) => {
    const said = { gateway: name, time: time(heard) };
    const text = stale
      ? t(gateways.length > 1 ? "common.stale_named" : "common.stale", said)
      : t(gateways.length > 1 ? "common.lost_named" : "common.lost", said);
    return html`<div class="notice" role="status">${text}${repairs(hass)}</div>`;
  });
}
