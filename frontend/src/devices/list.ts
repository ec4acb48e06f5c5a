// Which devices a card shows, and in which order.

import { compareNames, type Formats } from "../format.js";
import type { HomeAssistant } from "../hass.js";
import type { Row } from "../messages.js";
import { urgency } from "../status.js";
import type { LiveDevice } from "../store.js";

export const SORTS = ["today", "now", "name", "status", "last_seen"] as const;
export type Sort = (typeof SORTS)[number];
export const SHOWN = ["all", "online", "restricted"] as const;
export type Shown = (typeof SHOWN)[number];

export interface Filter {
  search: string;
  shown: Shown;
  /** None: all of them. */
  areas: readonly string[];
  labels: readonly string[];
}

/** Return what Home Assistant's registry says of a device: its area and labels; undefined where it has none of it. */
const registered = (hass: Pick<HomeAssistant, "devices">, row: Row) =>
  row.device_id === null ? undefined : hass.devices[row.device_id];

const isShown: Record<Shown, (row: Row) => boolean> = {
  all: () => true,
  online: (row) => row.online,
  restricted: (row) => row.quarantined || row.rule !== null,
};

export function matches(hass: Pick<HomeAssistant, "devices">, row: Row, filter: Filter): boolean {
  const { search, shown, areas, labels } = filter;
  if (!isShown[shown](row)) return false;
  const device = registered(hass, row);
  if (areas.length && !areas.includes(device?.area_id ?? "")) return false;
  if (labels.length && !labels.some((label) => device?.labels?.includes(label))) return false;
  if (!search.trim()) return true;
  // Each word must be found somewhere: "tv 192.168" finds the TV of one network
  const text = [row.name, row.mac, row.vendor, row.top_peer, ...row.addresses].join(" ").toLocaleLowerCase();
  return search
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

const moved = (row: Row) => row.upload_today + row.download_today;
const moving = (row: Row) => row.upload_rate + row.download_rate;

/** Return the devices in order; the name decides between equals, then the MAC. */
export function sorted(hass: Formats, devices: Iterable<LiveDevice>, sort: Sort): LiveDevice[] {
  const names = compareNames(hass);
  const by: Record<Sort, (one: Row, other: Row) => number> = {
    today: (one, other) => moved(other) - moved(one),
    now: (one, other) => moving(other) - moving(one),
    name: () => 0,
    status: (one, other) => urgency(one) - urgency(other),
    last_seen: (one, other) => other.last_seen - one.last_seen,
  };
  return [...devices].sort(
    ({ row: one }, { row: other }) =>
      by[sort](one, other) || names(one.name, other.name) || (one.mac < other.mac ? -1 : 1),
  );
}

/** Keeps the order for a while, so that rows do not jump under the finger with each new rate. */
export class Order {
  private ranks = new Map<string, number>();
  private since = -Infinity;
  private sort: Sort | undefined;

  constructor(private readonly patience = 5) {}

  /** Return the devices in the order; `held` while somebody is at the list. */
  of(hass: Formats, devices: readonly LiveDevice[], sort: Sort, now: number, held: boolean): LiveDevice[] {
    const known = devices.every(({ key }) => this.ranks.has(key));
    const fresh = this.sort === sort && known && (held || now - this.since < this.patience);
    if (!fresh) {
      this.ranks = new Map(sorted(hass, devices, sort).map(({ key }, rank) => [key, rank]));
      this.since = now;
      this.sort = sort;
    }
    return [...devices].sort((one, other) => (this.ranks.get(one.key) ?? 0) - (this.ranks.get(other.key) ?? 0));
  }
}
