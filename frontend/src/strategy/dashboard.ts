// The whole dashboard, from what is set up: nothing has to be configured.

import type { HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import { homeOf } from "./home.js";
import { pathOf, type ViewConfig, viewOf, type ViewStrategyConfig, welcome } from "./views.js";

const STRATEGY = "custom:hearthwall";

export interface DashboardConfig {
  title: string;
  views: ViewConfig[];
}

/** The views that have a tab, in their order. */
const TABS = [
  ["overview", "mdi:shield-home"],
  ["map", "mdi:map-marker-path"],
  ["events", "mdi:timeline-alert-outline"],
  ["devices", "mdi:devices"],
  ["health", "mdi:heart-pulse"],
] as const;

/** Return the dashboard: its views by name, so that each is made only when it is opened. */
export function dashboardOf(hass: HomeAssistant): DashboardConfig {
  const t = localizer(hass);
  const { gateways, devices } = homeOf(hass, t("strategy.no_area"));
  const title = t("strategy.title");
  if (!gateways.length) return { title, views: [{ title, path: "overview", icon: "mdi:shield-home", ...welcome(hass) }] };
  return {
    title,
    views: [
      ...TABS.map(([view, icon]) => ({
        title: t(`strategy.view.${view}`),
        path: view,
        icon,
        // An icon alone is a riddle
        show_icon_and_title: true,
        strategy: { type: STRATEGY, view },
      })),
      ...devices.map((device) => ({
        title: device.name,
        path: pathOf(device),
        subview: true,
        back_path: "devices",
        strategy: { type: STRATEGY, view: "device", device_id: device.id },
      })),
    ],
  };
}

export class HearthwallDashboardStrategy extends HTMLElement {
  static readonly noEditor = true;

  static getCreateSuggestions(hass: HomeAssistant): { title: string; icon: string } {
    return { title: localizer(hass)("strategy.title"), icon: "mdi:shield-home" };
  }

  static async generate(_: unknown, hass: HomeAssistant): Promise<DashboardConfig> {
    return dashboardOf(hass);
  }
}

export class HearthwallViewStrategy extends HTMLElement {
  static async generate(config: ViewStrategyConfig, hass: HomeAssistant): Promise<ViewConfig> {
    return viewOf(config, hass);
  }
}
