// What the websocket commands of the integration answer; a test compares the fields with those that it sends.

export type Severity = "info" | "low" | "medium" | "high" | "critical";

/** The rule that is on all of a device's traffic. */
export interface RowRule {
  id: number;
  mode: string;
  expires: number | null;
}

/** A device, as `hearthwall/subscribe_devices` tells it. Rates are bytes per second, times seconds since the epoch. */
export interface Row {
  mac: string;
  device_id: string | null;
  name: string;
  online: boolean;
  upload_rate: number;
  download_rate: number;
  upload_bytes: number;
  download_bytes: number;
  upload_today: number;
  download_today: number;
  first_seen: number;
  last_seen: number;
  randomised: boolean;
  vendor: string | null;
  addresses: string[];
  top_peer: string | null;
  rule: RowRule | null;
  quarantined: boolean;
  quarantine_entity: string | null;
}

/** All devices of a gateway; again after a loss. */
export interface Snapshot {
  type: "snapshot";
  entry_id: string;
  gateway: string;
  gateway_device_id: string | null;
  /** With `read`, its sensor takes no orders from Home Assistant. */
  role: "operate" | "read";
  devices: Row[];
}

/** What changed of a gateway's devices. */
export interface Delta {
  type: "delta";
  entry_id: string;
  devices: Row[];
  removed: string[];
}

/** The gateway's sensor is out of reach; a snapshot follows when it is back. */
export interface Lost {
  type: "lost";
  entry_id: string;
}

/** The gateway's sensor has just answered, also where nothing changes. */
export interface Alive {
  type: "alive";
  entry_id: string;
}

/** The gateway was taken out of Home Assistant. */
export interface Removed {
  type: "removed";
  entry_id: string;
}

export type LiveMessage = Snapshot | Delta | Lost | Alive | Removed;

/** An event, as the journal has it, and what Home Assistant knows of it. */
export interface Event {
  seq: number;
  time: number;
  kind: string;
  severity: Severity;
  mac: string | null;
  address: string | null;
  peer_address: string | null;
  peer_name: string | null;
  process: string | null;
  summary: string;
  /** The summary before Home Assistant put the device's name into it. */
  sensor_summary: string;
  evidence: Record<string, unknown>;
  technique: string | null;
  count: number;
  last_time: number | null;
  subject: string;
  /** Whom an order may cut off for it, as a rule names it: never whom it was only done to. */
  culprit: string | null;
  why: string | null;
  advice: string | null;
  device_id: string | null;
  /** The device that did it, if an action can be aimed at it. */
  culprit_device_id: string | null;
  entry_id: string;
  gateway: string;
  device_name: string | null;
}

/** First the newest events, the oldest of them first; then each new one. */
export interface Events {
  type: "events";
  entry_id: string;
  events: Event[];
}

/** A network interface that the gateway's sensor guards, and how packets are dropped there. */
export interface GatewayInterface {
  name: string;
  role: string;
  xdp: string;
}

/** A list of known-bad addresses and domains, and what it hit. */
export interface GatewayFeed {
  name: string;
  action: string;
  entries: number;
  packets: number;
  last_hit: number | null;
  updated: number | null;
  last_error: string | null;
}

/** How a gateway's sensor fares. */
export interface GatewayReport {
  entry_id: string;
  gateway: string;
  integration_version: string;
  sensor_version: string;
  uptime: number;
  memory: number;
  lost: number;
  interfaces: GatewayInterface[];
  feeds: GatewayFeed[];
}

/** An event of which the user said that it is fine. */
export interface AcceptedEvent {
  entry_id: string;
  seq: number;
}

export interface AcceptedEvents {
  accepted: AcceptedEvent[];
}

/** One event, and what can be done about it. */
export interface EventDetails {
  event: Event;
  /** The MAC of the device that did it. */
  culprit: string | null;
  /** The program of the gateway that did it, as a rule names it: `exe:` and its file, or `pid:` and its number. */
  program: string | null;
  blockable_peer: string | null;
  has_ended: boolean;
}

/** The dimensions that `hearthwall/usage` can sum up by. */
export type Dimension = "mac" | "application" | "domain" | "peer" | "country" | "network";

/** What was moved; it has the dimensions that were asked for, each null where unknown. */
export interface UsageRow {
  mac?: string | null;
  application?: string | null;
  domain?: string | null;
  peer?: string | null;
  country?: string | null;
  network?: string | null;
  device_id?: string | null;
  name?: string | null;
  upload_bytes: number;
  download_bytes: number;
  flows: number;
}

/** The most bytes first; what the limit cut off is in the totals. */
export interface Usage {
  rows: UsageRow[];
  upload_bytes: number;
  download_bytes: number;
  flows: number;
}

/** Something that a device does, how often it was seen, and when last. */
export interface Habit {
  name: string;
  count: number;
  last_seen: number;
}

/** What a device usually moves in a span of time, and beyond how much that is unusual. */
export interface Band {
  usual: number;
  most: number;
  seen: number;
}

/** An event of which the user said that it is fine. */
export interface Acceptance {
  id: number;
  time: number;
  seq: number;
  kind: string;
  mac: string | null;
  address: string | null;
  subject: string;
  summary: string;
  evidence: Record<string, unknown>;
  process: string | null;
}

/** What was learnt of a device, with what it does most at the head of each list. */
export interface ProfileReport {
  mac: string;
  since: number;
  learning_until: number;
  sure: number;
  frozen: boolean;
  domains: Habit[];
  countries: Habit[];
  networks: Habit[];
  ports: Habit[];
  applications: Habit[];
  upload_this_hour: Band | null;
  download_this_hour: Band | null;
  upload_a_day: Band | null;
  download_a_day: Band | null;
  model: Record<string, unknown> | null;
  mud: Record<string, unknown> | null;
  accepted: Acceptance[];
}

/** A rule in force, with what the kernel counted for it. */
export interface Block {
  id: number;
  target: string;
  kind: string;
  mode: string;
  allow: string[];
  reason: string;
  created: number;
  expires: number | null;
  confirm_by: number | null;
  packets: number;
  bytes: number;
  first_hit: number | null;
  last_hit: number | null;
  latency_ms: number | null;
  transport: string | null;
  port: number | null;
  direction: string;
  peers: string[];
  bytes_per_second: number | null;
  packets_per_second: number | null;
  redirect_to: string | null;
  audits: string | null;
  addresses: string[];
  children: boolean;
  enforced: boolean;
  asked: string | null;
  program: string | null;
}

/** What `hearthwall/device` tells beside the live row. */
export interface DeviceDetails {
  entry_id: string;
  mac: string;
  profile: ProfileReport | null;
  blocks: Block[];
  accepted: Acceptance[];
}
