// What the dashboard's strategy adds to Home Assistant's frontend.

import { localizer } from "../localize.js";
import { HearthwallDashboardStrategy, HearthwallViewStrategy } from "./dashboard.js";

export const strategyElements = {
  "ll-strategy-dashboard-hearthwall": HearthwallDashboardStrategy,
  "ll-strategy-view-hearthwall": HearthwallViewStrategy,
};

/** Return what the dialog for a new dashboard says of it. */
export function strategyEntry() {
  const t = localizer(undefined);
  return {
    type: "hearthwall",
    strategyType: "dashboard" as const,
    name: t("strategy.title"),
    description: t("strategy.description"),
  };
}
