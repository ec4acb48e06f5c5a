// An event for tests.

import type { Event } from "../src/messages.js";

export const event = (seq: number, more: Partial<Event> = {}): Event => ({
  seq,
  time: 1_795_000_000 + seq,
  kind: "port_scan",
  severity: "medium",
  mac: "00:00:5e:00:53:21",
  address: "192.0.2.10",
  peer_address: "198.51.100.7",
  peer_name: null,
  process: null,
  summary: `Event ${seq}`,
  sensor_summary: `Event ${seq}`,
  evidence: {},
  technique: null,
  count: 1,
  last_time: null,
  subject: "",
  culprit: null,
  why: null,
  advice: null,
  device_id: "device",
  culprit_device_id: null,
  entry_id: "entry",
  gateway: "Gateway",
  device_name: "Camera",
  ...more,
});
