// What the timeline of events adds to Home Assistant's frontend.

import { localizer } from "../localize.js";
import { HearthwallEventsCard } from "./events-card.js";

export const eventsElements = { "hearthwall-events-card": HearthwallEventsCard };

/** Return what the card picker says of it. */
export function eventsEntry() {
  const t = localizer(undefined);
  return {
    type: "hearthwall-events-card",
    name: t("events.name"),
    description: t("events.description"),
    preview: true,
  };
}
