// A Home Assistant as far as the cards know it: a connection that a test cuts, devices, and what was ordered.

import type { Connection, HomeAssistant, Unsubscribe } from "../src/hass.js";
import type { Row } from "../src/messages.js";
import { FakeGateway } from "./gateway.js";

type Callback = (message: unknown) => void;

/** Passes messages on as the page's one websocket does. */
export class FakeConnection implements Connection {
  connected = true;
  /** What the next commands are refused with. */
  refusal: unknown;
  readonly subscriptions: { message: { type: string }; callback: Callback }[] = [];
  private readonly listeners = new Map<string, Set<() => void>>();

  async subscribeMessage<T>(callback: (message: T) => void, message: { type: string }): Promise<Unsubscribe> {
    await Promise.resolve();
    if (this.refusal !== undefined) throw this.refusal;
    const subscription = { message, callback: callback as Callback };
    this.subscriptions.push(subscription);
    return () => {
      if (!this.connected) throw new Error("Nobody is there");
      this.subscriptions.splice(this.subscriptions.indexOf(subscription), 1);
    };
  }

  addEventListener(event: string, callback: () => void): void {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(callback));
  }

  removeEventListener(event: string, callback: () => void): void {
    this.listeners.get(event)?.delete(callback);
  }

  /** Say something to all who subscribed to a command. */
  say(message: unknown, type = "hearthwall/subscribe_devices"): void {
    for (const { callback, message: asked } of [...this.subscriptions]) if (asked.type === type) callback(message);
  }

  cut(): void {
    this.connected = false;
    this.subscriptions.length = 0;
    this.fire("disconnected");
  }

  restore(): void {
    this.connected = true;
    this.fire("ready");
  }

  listening(): number {
    return [...this.listeners.values()].reduce((sum, each) => sum + each.size, 0);
  }

  private fire(event: string): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) listener();
  }
}

export function row(mac: string, fields: Partial<Row> = {}): Row {
  return {
    mac,
    device_id: `id-${mac}`,
    name: mac,
    online: true,
    upload_rate: 0,
    download_rate: 0,
    upload_bytes: 0,
    download_bytes: 0,
    upload_today: 0,
    download_today: 0,
    first_seen: 0,
    last_seen: 0,
    randomised: false,
    vendor: null,
    addresses: [],
    top_peer: null,
    rule: null,
    quarantined: false,
    quarantine_entity: null,
    ...fields,
  };
}

export const snapshot = (...devices: Row[]) => ({
  type: "snapshot",
  entry_id: "entry",
  gateway: "Gateway",
  gateway_device_id: null,
  role: "operate",
  devices,
});

export const delta = (devices: Row[], removed: string[] = []) => ({
  type: "delta",
  entry_id: "entry",
  devices,
  removed,
});

export interface FakeHome extends HomeAssistant {
  connection: FakeConnection;
  /** The rules of its only gateway. */
  gateway: FakeGateway;
  /** Actions that order something, as they were called: domain, name, data, target. */
  called: unknown[][];
  /** What the next actions fail with. */
  failure: unknown;
}

export function home(fields: Partial<HomeAssistant> = {}): FakeHome {
  const made = {
    connection: new FakeConnection(),
    gateway: new FakeGateway(),
    called: [],
    failure: undefined,
    states: {},
    entities: {},
    devices: {},
    areas: {},
    locale: { language: "en", number_format: "language", time_format: "24" },
    config: { components: ["hearthwall"], time_zone: "UTC" },
    user: { is_admin: true },
    callWS: async <T>() => [] as T,
    async callService(...call: Parameters<HomeAssistant["callService"]>) {
      const [domain, action, data, target] = call;
      if (!action.startsWith("get_")) {
        if (made.failure !== undefined) throw made.failure;
        made.called.push([domain, action, data, target]);
      }
      return { response: made.gateway.call(action, data ?? {}, target) };
    },
    ...fields,
  } as unknown as FakeHome;
  return made;
}

/** Let promises and elements come to rest. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
