// The live rows of all gateways: one websocket subscription for a page, shared by all cards on it.

import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Connection, HomeAssistant } from "./hass.js";
import { subscribeLasting } from "./lasting.js";
import type { LiveMessage, Row } from "./messages.js";

/** Samples that are kept of a device: two minutes at one a second. */
const SAMPLES = 120;
/** After so many seconds without a word the figures are old: a sensor that answers says so every two. */
const PATIENCE = 6;
/** Who turns to another view and back finds all as it was. */
const LINGER_MS = 30_000;

export interface Sample {
  time: number;
  upload: number;
  download: number;
}

export interface LiveDevice {
  key: string;
  entryId: string;
  row: Row;
  samples: readonly Sample[];
}

export interface Gateway {
  entryId: string;
  name: string;
  deviceId: string | null;
  /** Whether its sensor takes no orders from Home Assistant. */
  readOnly: boolean;
  /** Whether its sensor is there; what is shown of its devices is old else. */
  connected: boolean;
  /** Whether it is connected and says nothing all the same. */
  stale: boolean;
  /** When it last told something, in seconds since the epoch. */
  heard: number;
  devices: ReadonlyMap<string, LiveDevice>;
}

/** `waiting` for the first answer, `live`, `offline` without Home Assistant, `absent` without the integration. */
export type Phase = "waiting" | "live" | "offline" | "absent";

type Listener = () => void;
type OwnGateway = Gateway & { devices: Map<string, LiveDevice> };

/** Subscribes with its first listener, and ends a while after its last. */
export class LiveStore {
  phase: Phase = "waiting";
  readonly gateways = new Map<string, Gateway>();

  private readonly own = this.gateways as Map<string, OwnGateway>;
  private readonly listeners = new Set<Listener>();
  private readonly byId = new Map<string, LiveDevice>();
  private end: (() => void) | undefined;
  private lingering: ReturnType<typeof setTimeout> | undefined;
  private told = false;
  private ticking: ReturnType<typeof setInterval> | undefined;
  private since = 0;
  /** Gateways whose sensor was not there when they were asked for. */
  private readonly lost = new Set<string>();

  constructor(
    private readonly connection: Connection,
    private readonly now: () => number = () => Date.now() / 1000,
  ) {}

  /** Call back after each change, at most once in a turn of the event loop; return how to end that. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    clearTimeout(this.lingering);
    if (!this.end) this.start();
    return () => {
      if (!this.listeners.delete(listener) || this.listeners.size) return;
      this.lingering = setTimeout(() => this.stop(), LINGER_MS);
    };
  }

  /** Whether there is nothing to show, and waiting for it has been in vain so far. */
  get missing(): boolean {
    return !this.gateways.size && this.phase !== "offline" && (this.lost.size > 0 || this.now() - this.since > PATIENCE);
  }

  /** Return the device that Home Assistant's registry has under an id. */
  device(deviceId: string): LiveDevice | undefined {
    return this.byId.get(deviceId);
  }

  *devices(): Iterable<LiveDevice> {
    for (const gateway of this.gateways.values()) yield* gateway.devices.values();
  }

  /** Whether a gateway's sensor takes no orders from Home Assistant. */
  isReadOnly(entryId: string): boolean {
    return this.gateways.get(entryId)?.readOnly ?? false;
  }

  /** Return the addresses of a gateway's devices. */
  addresses(entryId: string): ReadonlySet<string> {
    return new Set([...(this.gateways.get(entryId)?.devices.values() ?? [])].flatMap(({ row }) => row.addresses));
  }

  private start(): void {
    this.since = this.now();
    this.ticking = setInterval(() => this.look(), 1000);
    this.end = subscribeLasting<LiveMessage>(
      this.connection,
      { type: "hearthwall/subscribe_devices" },
      {
        message: (message) => this.receive(message),
        up: () => this.enter(this.gateways.size ? "live" : "waiting"),
        down: () => this.enter("offline"),
        refused: () => this.enter("absent"),
      },
    );
  }

  private stop(): void {
    this.end?.();
    this.end = undefined;
    clearInterval(this.ticking);
    this.lost.clear();
    // Who listens next sees nothing old
    this.phase = "waiting";
    this.gateways.clear();
    this.byId.clear();
  }

  private enter(phase: Phase): void {
    if (phase !== this.phase) this.since = this.now();
    this.phase = phase;
    // What was heard before is old until a snapshot says else
    if (phase !== "live") for (const gateway of this.own.values()) gateway.connected = false;
    this.changed();
  }

  /** Tell who listens when a gateway falls silent, or when nothing has come at all. */
  private look(): void {
    const silent = (gateway: Gateway) => gateway.connected && this.now() - gateway.heard > PATIENCE;
    const found = [...this.own.values()].filter((gateway) => gateway.stale !== silent(gateway));
    for (const gateway of found) gateway.stale = !gateway.stale;
    if (found.length || this.missing) this.changed();
  }

  private receive(message: LiveMessage): void {
    const { entry_id: entryId } = message;
    const known = this.own.get(entryId);
    if (message.type === "snapshot") {
      const devices = new Map<string, LiveDevice>();
      const gateway: OwnGateway = {
        entryId,
        name: message.gateway,
        deviceId: message.gateway_device_id,
        readOnly: message.role === "read",
        connected: true,
        stale: false,
        heard: this.now(),
        devices,
      };
      this.own.set(entryId, gateway);
      this.lost.delete(entryId);
      for (const row of message.devices) this.put(gateway, row, known?.devices.get(row.mac)?.samples);
      for (const device of known?.devices.values() ?? []) if (!devices.has(device.row.mac)) this.forget(device);
      this.phase = "live";
    } else if (message.type === "removed") {
      this.own.delete(entryId);
      this.lost.delete(entryId);
      for (const device of known?.devices.values() ?? []) this.forget(device);
    } else if (!known) {
      if (message.type !== "lost") return;
      this.lost.add(entryId);
    } else if (message.type === "lost") {
      known.connected = known.stale = false;
    } else if (message.type === "alive") {
      known.heard = this.now();
      if (!known.stale) return;
      known.stale = false;
    } else {
      known.connected = true;
      known.stale = false;
      known.heard = this.now();
      for (const row of message.devices) this.put(known, row, known.devices.get(row.mac)?.samples);
      for (const mac of message.removed) {
        const device = known.devices.get(mac);
        known.devices.delete(mac);
        if (device) this.forget(device);
      }
    }
    this.changed();
  }

  private put(gateway: OwnGateway, row: Row, earlier: readonly Sample[] = []): void {
    // A rate that is no number has no height
    const [upload, download] = [row.upload_rate, row.download_rate].map((rate) => (Number.isFinite(rate) ? rate : 0));
    const sample = { time: this.now(), upload: upload!, download: download! };
    const device: LiveDevice = {
      key: `${gateway.entryId} ${row.mac}`,
      entryId: gateway.entryId,
      row,
      samples: [...earlier.slice(1 - SAMPLES), sample],
    };
    gateway.devices.set(row.mac, device);
    if (row.device_id) this.byId.set(row.device_id, device);
  }

  private forget({ key, row }: LiveDevice): void {
    if (row.device_id && this.byId.get(row.device_id)?.key === key) this.byId.delete(row.device_id);
  }

  private changed(): void {
    if (this.told) return;
    this.told = true;
    queueMicrotask(() => {
      this.told = false;
      for (const listener of [...this.listeners]) listener();
    });
  }
}

const stores = new WeakMap<Connection, LiveStore>();

/** Return the page's store. */
export function liveStore(connection: Connection): LiveStore {
  let store = stores.get(connection);
  if (!store) stores.set(connection, (store = new LiveStore(connection)));
  return store;
}

/** Keeps an element listening while it is in the page and has `hass`; the element renders after each change. */
export class Live implements ReactiveController {
  store: LiveStore | undefined;
  private end: (() => void) | undefined;
  private inPage = false;

  constructor(private readonly host: ReactiveControllerHost & { hass?: HomeAssistant | undefined }) {
    host.addController(this);
  }

  hostConnected(): void {
    this.inPage = true;
    this.follow();
  }

  hostUpdate(): void {
    this.follow();
  }

  hostDisconnected(): void {
    this.inPage = false;
    this.end?.();
    this.end = this.store = undefined;
  }

  private follow(): void {
    const { hass } = this.host;
    if (!this.inPage || !hass) return;
    const store = liveStore(hass.connection);
    if (store === this.store) return;
    this.end?.();
    this.store = store;
    this.end = store.listen(() => this.host.requestUpdate());
  }
}
