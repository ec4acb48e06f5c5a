// The devices of all gateways, each of them once.

import type { Row } from "./messages.js";
import type { LiveDevice } from "./store.js";

/** What passes two gateways moves once; online and restricted is what is so at any of them. */
const joined = (one: Row, other: Row): Row => ({
  ...one,
  online: one.online || other.online,
  quarantined: one.quarantined || other.quarantined,
  rule: one.rule ?? other.rule,
  upload_rate: Math.max(one.upload_rate, other.upload_rate),
  download_rate: Math.max(one.download_rate, other.download_rate),
});

/** Return one row for each device, however many gateways see it. */
export function once(devices: Iterable<LiveDevice>): Row[] {
  const rows = new Map<string, Row>();
  for (const { row } of devices) {
    const other = rows.get(row.mac);
    rows.set(row.mac, other ? joined(other, row) : row);
  }
  return [...rows.values()];
}
