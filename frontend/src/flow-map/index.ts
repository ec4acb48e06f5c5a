// What the flow map adds to Home Assistant's frontend.

import { localizer } from "../localize.js";
import { HearthwallFlowMapCard } from "./flow-map-card.js";

export const flowMapElements = { "hearthwall-flow-map-card": HearthwallFlowMapCard };

/** Return what the card picker says of it. */
export function flowMapEntry() {
  const t = localizer(undefined);
  return {
    type: "hearthwall-flow-map-card",
    name: t("map.name"),
    description: t("map.description"),
    preview: true,
  };
}
