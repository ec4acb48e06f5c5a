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

/** What our cards show themselves, and a tile would show again. */
const SHOWN: ReadonlySet<string> = new Set([
  "presence",
  "quarantine",
  "connection",
  "active_blocks",
  "devices_online",
  "download_rate",
  "upload_rate",
  "feed_hits",
]);
const RATES = ["download_rate", "upload_rate"];

/** An entity's own name: whose it is says the heading. */
const OWN_NAME: Config = { name: { type: "entity" } };

const DEVICE_PATH = "device-{device_id}";

export const pathOf = ({ id }: HomeDevice): string => DEVICE_PATH.replace("{device_id}", id);

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

function overview({ hass }: Made): ViewConfig {
  return {
    type: "sections",
    max_columns: 3,
    badges: [
      { type: "custom:hearthwall-badge", navigation_path: "devices" },
    ],
    sections: [
      { type: "grid", column_span: 2, cards: [card("devices", FULL)] },
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
    max_columns: 2,
    dense_section_placement: true,
    sections: home.areas.map(({ id, name }) => ({
      type: "grid",
      // Those without an area have the empty one
      cards: [card("devices", { ...FULL, title: name, area: [id ?? ""], toolbar: false, navigation_path: DEVICE_PATH })],
    })),
  };
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
          ...tiles(found),
        ],
      },
    ],
  };
}

/** Return tiles for what our cards do not show. */
const tiles = ({ entities }: HomeDevice): Config[] =>
  entities
    .filter(({ translation_key: key }) => !SHOWN.has(key ?? ""))
    .map(({ entity_id: entity }) => ({ type: "tile", entity, ...OWN_NAME }));

function health({ hass, home }: Made): ViewConfig {
  const t = localizer(hass);
  return {
    type: "sections",
    max_columns: 2,
    sections: home.gateways.flatMap((gateway) => {
      const rates = entitiesOf(gateway, RATES);
      const of = { entry_id: gateway.entryId };
      const heading = (text: string) => (home.gateways.length > 1 ? { title: `${gateway.name}: ${text}` } : {});
      return [
        { type: "grid", cards: [card("gateway", { ...FULL, ...of }), ...tiles(gateway)] },
        {
          type: "grid",
          cards: [
            card("rules", { ...FULL, ...of, ...heading(t("rules.title")) }),
            ...(rates.length
              ? [{ type: "history-graph", title: t("strategy.rates"), hours_to_show: 24, entities: rates, ...FULL }]
              : []),
          ],
        },
      ];
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
