// What the gateway card adds to Home Assistant's frontend.

import { localizer } from "../localize.js";
import { HearthwallGatewayCard } from "./card.js";

export const gatewayElements = { "hearthwall-gateway-card": HearthwallGatewayCard };

/** Return what the card picker says of it. */
export function gatewayEntry() {
  const t = localizer(undefined);
  return { type: "hearthwall-gateway-card", name: t("gateway.name"), description: t("gateway.description"), preview: true };
}
