// What the cards know of each kind of event: a test compares it with the sensor's own table.

import { type Key, optionalKey } from "../localize.js";

/** Told by rules and orders rather than by a detector: there is nothing to accept, and nobody to cut off for it. */
export const BY_RULES: ReadonlySet<string> = new Set(["blocked", "unblocked"]);

/** What is accepted of these becomes part of what is usual for the device. */
export const LEARNT: ReadonlySet<string> = new Set([
  "behaviour_anomaly",
  "connection_burst",
  "local_device_on_internet",
  "unexpected_destination",
  "volume_anomaly",
]);

/** Told of the gateway's own programs alone. */
export const OF_PROGRAMS: ReadonlySet<string> = new Set(["unexpected_process", "suspicious_syscall", "exec_and_connect"]);

/** Who accepts one of these accepts up to half as much again. */
export const AMOUNTS: ReadonlySet<string> = new Set(["connection_burst", "volume_anomaly"]);

export interface Measure {
  /** How the event's subject begins. */
  readonly subject?: string;
  readonly key: Key;
  readonly unit?: "bytes" | "megabytes";
}

/** What an event's value counts; the first that fits. Kinds that are not here say it all in their sentences. */
export const MEASURES: Readonly<Record<string, readonly Measure[]>> = {
  new_device: [{ subject: "many", key: "measure.devices" }],
  threat_address: [
    { subject: "address ", key: "measure.packets" },
    { subject: "many of ", key: "measure.addresses" },
  ],
  threat_domain: [{ subject: "many of ", key: "measure.names" }],
  unexpected_destination: [
    { subject: "quiet hours", key: "measure.moved", unit: "bytes" },
    { key: "measure.surprise" },
  ],
  segment_crossing: [{ subject: "spoofed source", key: "measure.flows" }],
  port_scan: [{ key: "measure.ports" }],
  address_scan: [{ key: "measure.hosts" }],
  connection_burst: [{ key: "measure.connections" }],
  flood: [{ subject: "many", key: "measure.sources" }, { key: "measure.packet_rate" }],
  volume_anomaly: [
    { subject: "upload", key: "measure.sent", unit: "megabytes" },
    { key: "measure.received", unit: "megabytes" },
  ],
  behaviour_anomaly: [{ key: "measure.differences" }],
  beacon: [{ key: "measure.evenness" }],
  dns_tunnel: [
    { subject: "server ", key: "measure.packet_size", unit: "bytes" },
    { key: "measure.names_asked" },
  ],
  address_conflict: [
    { subject: "many addresses", key: "measure.addresses_claimed" },
    { key: "measure.claims" },
  ],
};

/** Return the keys of a kind's name, what it means and what can be done; those of `other` for what is not known. */
export function kindKeys(kind: string): { name: Key; meaning: Key; advice: Key } {
  const known = optionalKey(`kind.${kind}.meaning`) ? kind : "other";
  return {
    name: `kind.${known}` as Key,
    meaning: `kind.${known}.meaning` as Key,
    advice: `kind.${known}.advice` as Key,
  };
}

/** Return what the value of an event counts, if that adds something. */
export const measureOf = (kind: string, subject: string): Measure | undefined =>
  Object.hasOwn(MEASURES, kind) ? MEASURES[kind]!.find((each) => subject.startsWith(each.subject ?? "")) : undefined;
