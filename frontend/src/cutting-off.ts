// The question before something is cut off: for how long, and what becomes of the rule that is there before.

import { askOrder, type Asking } from "./asking.js";
import { formatDateTime, formatSpan } from "./format.js";
import { errorText, type HomeAssistant } from "./hass.js";
import { localizer, optionalKey } from "./localize.js";
import type { Block } from "./messages.js";
import { type Standing, standing, type Undo } from "./orders.js";

const HOUR = 3600;
/** What can be chosen, in seconds; else until somebody releases it. */
const SPANS = [HOUR / 4, HOUR, 8 * HOUR, 24 * HOUR] as const;
const FOREVER = "forever";

export interface CutOff {
  entryId: string;
  /** What the rule is on, and what that is called. */
  target: string;
  name: string;
  title: string;
  text: string;
  confirm: string;
  /** What is said when it was done. */
  told: string;
  act: (before: Standing, seconds: number | null) => Promise<Undo | undefined>;
}

/** Return for how long something is offered to hold, the longest first: never less long than what holds it now. */
function durations(hass: HomeAssistant, rule: Block | undefined): { value: string; label: string }[] {
  const t = localizer(hass);
  const left = rule === undefined ? 0 : rule.expires === null ? Infinity : rule.expires - Date.now() / 1000;
  const isCutOff = rule?.mode === "isolate" && rule.direction === "any";
  return [
    ...(isCutOff && left === Infinity ? [] : [{ value: FOREVER, label: t("quarantine.forever") }]),
    ...SPANS.filter((span) => span > left).map((span) => ({
      value: String(span),
      label: t("quarantine.for", { span: formatSpan(hass, span) }),
    })),
  ];
}

/** Whether the sensor ordered it by itself: what that took the place of, it does not tell. */
const isResponse = ({ reason, expires }: Block) =>
  expires !== null && optionalKey(`kind.${reason.split(": ", 1)[0]}`) !== undefined && reason.includes(": ");

/** Return what is to be known of a rule whose place another takes. */
function replaced(hass: HomeAssistant, rule: Block): string {
  const t = localizer(hass);
  const until =
    rule.expires === null
      ? t("orders.endless")
      : t("orders.until", { time: formatDateTime(hass, rule.expires) });
  const described = `${t(optionalKey(`mode.${rule.mode}`) ?? "mode.other")} (${until})`;
  return t(isResponse(rule) ? "orders.replaces_response" : "orders.replaces", { rule: described });
}

/** Ask, and cut off; where that is done already for no less long, say so instead. Return whether it was done. */
export async function askCutOff(asking: Asking, cutOff: CutOff): Promise<boolean> {
  const { hass, notice } = asking;
  const { entryId, target, name, title, text, confirm, told, act } = cutOff;
  let before: Standing;
  try {
    before = await standing(hass, entryId, target);
  } catch (error) {
    notice.show(errorText(error));
    return false;
  }
  const { rule } = before;
  const choices = durations(hass, rule);
  if (!choices.length) {
    notice.show(localizer(hass)("orders.already", { name }));
    return false;
  }
  const seconds = (choice: string) => (choice === FOREVER ? null : Number(choice));
  return askOrder(
    asking,
    {
      title,
      text: rule ? `${text} ${replaced(hass, rule)}` : text,
      confirm,
      danger: true,
      choices,
      act: (choice) => act(before, seconds(choice)),
    },
    told,
  );
}
