// The home as a dashboard sees it: gateways, the devices behind them, and the areas that these are in.

import { compareNames } from "../format.js";
import { type Area, DOMAIN, type HomeAssistant, type RegistryDevice, type RegistryEntity } from "../hass.js";

/** Longer names are cut in titles. */
const LONGEST = 60;

export interface HomeDevice {
  id: string;
  name: string;
  areaId: string | null;
  /** The config entry that it is of: the gateway. */
  entryId: string;
  entities: readonly RegistryEntity[];
}

export interface HomeArea {
  /** Null for the devices that are in none. */
  id: string | null;
  name: string;
  icon: string | null;
  devices: readonly HomeDevice[];
}

export interface Home {
  gateways: readonly HomeDevice[];
  devices: readonly HomeDevice[];
  areas: readonly HomeArea[];
}

type Registered = RegistryDevice & { disabled_by?: string | null };
type Shown = RegistryEntity & { hidden?: boolean };

const own = ({ identifiers }: RegistryDevice): string | undefined =>
  identifiers?.find(([domain]) => domain === DOMAIN)?.[1];

/** A device's identifier ends with its MAC, a gateway's has none. */
const isGateway = (device: RegistryDevice): boolean => !own(device)!.includes(":");

/** Return what there is of Hearthwall, sorted by name. */
export function homeOf(hass: HomeAssistant, without: string): Home {
  const compare = compareNames(hass);
  const entities = new Map<string, RegistryEntity[]>();
  for (const entity of Object.values(hass.entities) as Shown[]) {
    if (entity.platform !== DOMAIN || !entity.device_id || entity.hidden) continue;
    const known = entities.get(entity.device_id);
    if (known) known.push(entity);
    else entities.set(entity.device_id, [entity]);
  }
  const found = (Object.values(hass.devices) as Registered[]).filter((device) => own(device) && !device.disabled_by);
  const all = (those: readonly Registered[]): HomeDevice[] =>
    those
      .map((device) => ({
        id: device.id,
        name: cut(device.name_by_user || device.name || device.id),
        areaId: device.area_id,
        entryId: own(device)!.split("_")[0]!,
        entities: entities.get(device.id) ?? [],
      }))
      .sort((one, other) => compare(one.name, other.name) || (one.id < other.id ? -1 : 1));
  const devices = all(found.filter((device) => !isGateway(device)));
  return { gateways: all(found.filter(isGateway)), devices, areas: areasOf(hass, devices, without) };
}

/** Return the areas that have devices, and at the end those without an area. */
function areasOf(hass: HomeAssistant, devices: readonly HomeDevice[], without: string): HomeArea[] {
  const compare = compareNames(hass);
  const areas = Object.values(hass.areas) as (Area & { icon?: string | null })[];
  const known = new Set(areas.map(({ area_id: id }) => id));
  const rows = areas
    .map(({ area_id: id, name, icon }) => ({
      id,
      name: cut(name),
      icon: icon ?? null,
      devices: devices.filter(({ areaId }) => areaId === id),
    }))
    .sort((one, other) => compare(one.name, other.name));
  const rest = devices.filter(({ areaId }) => areaId === null || !known.has(areaId));
  return [...rows, { id: null, name: without, icon: null, devices: rest }].filter((area) => area.devices.length);
}

const cut = (name: string): string => (name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name);

/** Return the entities of a device that are called so, in that order. */
export const entitiesOf = ({ entities }: HomeDevice, keys: readonly string[]): string[] =>
  keys.flatMap((key) => entities.filter((each) => each.translation_key === key).map((each) => each.entity_id));
