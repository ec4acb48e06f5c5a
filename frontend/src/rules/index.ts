// What the rules card adds to Home Assistant's frontend.

import { localizer } from "../localize.js";
import { HearthwallRulesCard } from "./card.js";

export const rulesElements = { "hearthwall-rules-card": HearthwallRulesCard };

/** Return what the card picker says of it. */
export function rulesEntry() {
  const t = localizer(undefined);
  return { type: "hearthwall-rules-card", name: t("rules.name"), description: t("rules.description"), preview: true };
}
