// English: the dashboard.

export const enStrategy = {
  "strategy.title": "Hearthwall",
  "strategy.description": "Your home’s network: every device, what it moves, what was noticed, and how the gateway is.",
  "strategy.view.overview": "Overview",
  "strategy.view.map": "Map",
  "strategy.view.events": "Events",
  "strategy.view.devices": "Devices",
  "strategy.view.health": "Gateway",
  "strategy.newest": "Newest events",
  "strategy.entities": "Entities",
  "strategy.rates": "The last 24 hours",
  "strategy.no_area": "Without an area",
  "strategy.gone": "This device is not in Home Assistant any more.",
  "strategy.welcome": "Hearthwall is not set up yet",
  "strategy.welcome.text":
    "Hearthwall watches over the traffic of your home on its gateway. Add the integration, choose the gateway’s interfaces, and this dashboard builds itself.",
  "strategy.welcome.link": "Add Hearthwall",
} as const satisfies Record<string, string>;
