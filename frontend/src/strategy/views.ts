// The views of the dashboard, each made when it is opened.

import type { HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import { entitiesOf, type Home, type HomeDevice, homeOf } from "./home.js";

export type Config = Record<string, unknown>;

export interface ViewConfig extends Config {
  title?: string;
  path?: string;
  icon?: string;
  subview?: boolean;
}

export interface ViewStrategyConfig {
  type: string;
  view?: string;
  device_id?: string;
}

interface Made {
  hass: HomeAssistant;
  home: Home;
  config: ViewStrategyConfig;
}

const card = (name: string, more: Config = {}): Config => ({ type: `custom:hearthwall-${name}-card`, ...more });
const FULL: Config = { grid_options: { columns: "full" } };

/** What a tile of a device shows, the first of these that there is. */
const SHOWN = ["presence", "download_rate", "quarantine", "security"];
/** What a gateway has that is worth a badge. */
const BADGES = ["active_blocks", "download_rate", "upload_rate"];
const RATES = ["download_rate", "upload_rate"];
/** How a gateway is, the most telling first; what is not here follows. */
const HEALTH = ["connection", "security", "devices_online", "active_blocks", "download_rate", "upload_rate"];

/** An entity's own name: whose it is says the heading. */
const OWN_NAME: Config = { name: { type: "entity" } };

export const pathOf = ({ id }: HomeDevice): string => `device-${id}`;

/** From this width on a view of sections has three columns beside each other: 3 × 320 and what is between and around. */
const THREE_COLUMNS = 1088;
const SIDEBARS = { docked: 256, auto: 56, always_hidden: 0 } as const;

/** Return a section on the newest events: beside the devices on wide screens, else below them, as wide as they are. */
function newest(hass: HomeAssistant): Config[] {
  const width = THREE_COLUMNS + SIDEBARS[hass.dockedSidebar ?? "docked"];
  const shown = (span: number, visibility: readonly Config[]): Config => ({
    type: "grid",
    column_span: span,
    visibility,
    cards: [
      card("events", {
        // A card that is hidden is taken out of the page and asks for nothing; one in a hidden section is not
        visibility,
        grid_options: { columns: "full", rows: "auto" },
        title: localizer(hass)("strategy.newest"),
        limit: 8,
        filters: false,
        navigation_path: "events",
      }),
    ],
  });
  const screen = (query: string) => [{ condition: "screen", media_query: query }];
  return [shown(1, screen(`(min-width: ${width}px)`)), shown(2, screen(`not all and (min-width: ${width}px)`))];
}

function overview({ hass, home }: Made): ViewConfig {
  return {
    type: "sections",
    max_columns: 3,
    badges: [
      { type: "custom:hearthwall-badge" },
      ...home.gateways
        .flatMap((gateway) => entitiesOf(gateway, BADGES))
        .map((entity) => ({ type: "entity", entity, show_name: true, ...(home.gateways.length > 1 ? {} : OWN_NAME) })),
    ],
    sections: [
      { type: "grid", column_span: 2, cards: [card("devices", { ...FULL, toolbar: home.devices.length > 8 })] },
      ...newest(hass),
    ],
  };
}

function map(): ViewConfig {
  return { type: "panel", cards: [card("flow-map")] };
}

function events(): ViewConfig {
  return {
    type: "sections",
    max_columns: 2,
    sections: [
      { type: "grid", column_span: 2, cards: [card("events", { grid_options: { columns: "full", rows: "auto" } })] },
    ],
  };
}

function devices({ home }: Made): ViewConfig {
  return {
    type: "sections",
    max_columns: 4,
    dense_section_placement: true,
    sections: home.areas.map(({ name, icon, devices: those }) => ({
      type: "grid",
      cards: [
        { type: "heading", heading: name, ...(icon ? { icon } : {}) },
        ...those.map((each) => tile(each)),
      ],
    })),
  };
}

/** Return what leads to a device's own view. */
function tile(device: HomeDevice): Config {
  const [entity] = entitiesOf(device, SHOWN);
  const open = { action: "navigate", navigation_path: pathOf(device) };
  return entity
    ? { type: "tile", entity, name: device.name, tap_action: open, icon_tap_action: open }
    : { type: "button", name: device.name, icon: "mdi:devices", show_state: false, tap_action: open };
}

function device({ hass, home, config }: Made): ViewConfig {
  const found = home.devices.find(({ id }) => id === config.device_id);
  if (!found) return { cards: [{ type: "markdown", content: localizer(hass)("strategy.gone") }] };
  return {
    type: "sections",
    max_columns: 3,
    sections: [
      { type: "grid", column_span: 2, cards: [card("device", { ...FULL, device_id: found.id })] },
      {
        type: "grid",
        cards: [
          { type: "heading", heading: localizer(hass)("strategy.entities"), icon: "mdi:format-list-bulleted" },
          ...found.entities.map(({ entity_id: entity }) => ({ type: "tile", entity, ...OWN_NAME })),
        ],
      },
    ],
  };
}

function health({ hass, home }: Made): ViewConfig {
  const t = localizer(hass);
  return {
    type: "sections",
    max_columns: 3,
    sections: home.gateways.map((gateway) => {
      const first = entitiesOf(gateway, HEALTH);
      const rest = gateway.entities.map(({ entity_id: id }) => id).filter((id) => !first.includes(id));
      const rates = entitiesOf(gateway, RATES);
      return {
        type: "grid",
        cards: [
          { type: "heading", heading: gateway.name, icon: "mdi:shield-home" },
          ...[...first, ...rest.sort()].map((entity) => ({ type: "tile", entity, ...OWN_NAME })),
          ...(rates.length
            ? [{ type: "history-graph", title: t("strategy.rates"), hours_to_show: 24, entities: rates, ...FULL }]
            : []),
        ],
      };
    }),
  };
}

const VIEWS: Readonly<Record<string, (made: Made) => ViewConfig>> = { overview, map, events, devices, device, health };

/** Return what is on a view. */
export function viewOf(config: ViewStrategyConfig, hass: HomeAssistant): ViewConfig {
  const name = config.view ?? "overview";
  const make = Object.hasOwn(VIEWS, name) ? VIEWS[name] : undefined;
  if (!make) throw new Error(`view is none of ${Object.keys(VIEWS).join(", ")}`);
  const home = homeOf(hass, localizer(hass)("strategy.no_area"));
  if (!home.gateways.length) return welcome(hass);
  return make({ hass, home, config });
}

/** Return a view that says how Hearthwall is set up. */
export function welcome(hass: HomeAssistant): ViewConfig {
  const t = localizer(hass);
  return {
    type: "sections",
    max_columns: 1,
    sections: [
      {
        type: "grid",
        cards: [
          { type: "heading", heading: t("strategy.welcome"), icon: "mdi:shield-home" },
          {
            type: "markdown",
            content: `${t("strategy.welcome.text")}\n\n[${t("strategy.welcome.link")}](/config/integrations/dashboard/add?domain=hearthwall)`,
          },
        ],
      },
    ],
  };
}
