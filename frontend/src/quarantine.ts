// The question before a device is quarantined or released, and what is said after it.

import { askOrder, type Asking, type OrderQuestion } from "./asking.js";
import { formatSpan } from "./format.js";
import type { HomeAssistant } from "./hass.js";
import { localizer } from "./localize.js";
import { quarantine, release } from "./orders.js";
import type { LiveDevice } from "./store.js";

const HOUR = 3600;
/** What can be chosen, in seconds; else until somebody releases it. */
export const SPANS = [HOUR / 4, HOUR, 8 * HOUR, 24 * HOUR] as const;
const FOREVER = "forever";

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
export async function askQuarantine(asking: Asking, device: LiveDevice): Promise<void> {
  const { hass } = asking;
  const t = localizer(hass);
  const { name, quarantined } = device.row;
  const question: OrderQuestion = quarantined
    ? {
        title: t("quarantine.release_ask", { name }),
        text: t("quarantine.release_text"),
        confirm: t("quarantine.release"),
        act: () => release(hass, device),
      }
    : {
        title: t("quarantine.ask", { name }),
        text: t("quarantine.text"),
        confirm: t("quarantine.confirm"),
        danger: true,
        choices: durations(hass),
        act: (choice) => quarantine(hass, device, chosenSeconds(choice)),
      };
  await askOrder(asking, question, t(quarantined ? "quarantine.off" : "quarantine.on", { name }));
}
