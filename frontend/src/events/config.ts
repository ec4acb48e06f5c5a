// What an events card shows.

import { type ConfigForm, DOMAIN } from "../hass.js";
import { type Key, localizer } from "../localize.js";
import type { Severity } from "../messages.js";
import { SEVERITIES } from "./timeline.js";

export interface EventsConfig {
  type: string;
  title?: string;
  entry_id?: string;
  /** A device of Home Assistant's registry, if only its events are shown. */
  device_id?: string;
  /** The mildest that is shown. */
  severity?: Severity;
  /** How many are shown at first, and how many more at a time. */
  limit?: number;
  /** Whether there is something to choose by; on unless said otherwise. */
  filters?: boolean;
  /** Where all events are, if these are but the newest. */
  navigation_path?: string;
}

export const DEFAULT_LIMIT = 50;

/** Return a configuration, or throw what is wrong with it. */
export function checked(config: EventsConfig): EventsConfig {
  const { severity, limit } = config;
  if (severity !== undefined && !SEVERITIES.includes(severity)) {
    throw new Error(`severity is none of ${SEVERITIES.join(", ")}`);
  }
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= 200)) {
    throw new Error("limit is no whole number from 1 to 200");
  }
  return config;
}

/** Return the form of the visual editor. */
export function eventsForm(): ConfigForm {
  const t = localizer(undefined);
  const severities = SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }));
  return {
    schema: [
      { name: "title", selector: { text: {} } },
      { name: "severity", selector: { select: { mode: "dropdown", options: severities } } },
      { name: "device_id", selector: { device: { filter: { integration: DOMAIN } } } },
      { name: "entry_id", selector: { config_entry: { integration: DOMAIN } } },
      { name: "limit", selector: { number: { min: 1, max: 200, mode: "box" } } },
      { name: "filters", default: true, selector: { boolean: {} } },
      { name: "navigation_path", selector: { navigation: {} } },
    ],
    computeLabel: ({ name }) => t(`events.field.${name}` as Key),
  };
}
