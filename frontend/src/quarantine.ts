// The question before a device is quarantined or released, and what is said after it.

import type { HearthwallConfirm } from "./dialog.js";
import { formatSpan } from "./format.js";
import type { HomeAssistant } from "./hass.js";
import { localizer } from "./localize.js";
import type { HearthwallNotice } from "./notice.js";
import { quarantine, release, type Undo } from "./orders.js";
import type { LiveDevice } from "./store.js";

const HOUR = 3600;
/** What can be chosen, in seconds; else until somebody releases it. */
export const SPANS = [HOUR / 4, HOUR, 8 * HOUR, 24 * HOUR] as const;
export const FOREVER = "forever";

/** Return for how long something is offered to hold, the longest first. */
export function durations(hass: HomeAssistant): { value: string; label: string }[] {
  const t = localizer(hass);
  return [
    { value: FOREVER, label: t("quarantine.forever") },
    ...SPANS.map((span) => ({ value: String(span), label: t("quarantine.for", { span: formatSpan(hass, span) }) })),
  ];
}

export const chosenSeconds = (choice: string): number | null => (choice === FOREVER ? null : Number(choice));

/** Ask, and quarantine or release the device; the notice tells, and offers the way back. */
export async function askQuarantine(
  hass: HomeAssistant,
  device: LiveDevice,
  confirm: HearthwallConfirm,
  notice: HearthwallNotice,
): Promise<void> {
  const t = localizer(hass);
  const { name, quarantined } = device.row;
  let undo: Undo | undefined;
  const done = await confirm.ask(
    quarantined
      ? {
          title: t("quarantine.release_ask", { name }),
          text: t("quarantine.release_text"),
          confirm: t("quarantine.release"),
          act: async () => (undo = await release(hass, device)),
        }
      : {
          title: t("quarantine.ask", { name }),
          text: t("quarantine.text"),
          confirm: t("quarantine.confirm"),
          danger: true,
          choices: durations(hass),
          act: async (choice) => (undo = await quarantine(hass, device, chosenSeconds(choice))),
        },
  );
  if (done) notice.show(t(quarantined ? "quarantine.off" : "quarantine.on", { name }), undo);
}
