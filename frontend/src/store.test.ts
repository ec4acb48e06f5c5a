// The live rows through losses, restarts and reloads.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { delta, FakeConnection, row, settle, snapshot } from "../test/home.js";
import { subscribeLasting } from "./lasting.js";
import { LiveStore, liveStore } from "./store.js";

let connection: FakeConnection;
let store: LiveStore;
let time: number;
let told: number;
let end: () => void;

const gateway = () => store.gateways.get("entry");
const names = () => [...store.devices()].map((device) => device.row.name);

beforeEach(async () => {
  vi.useFakeTimers();
  connection = new FakeConnection();
  time = 1000;
  told = 0;
  store = new LiveStore(connection, () => time);
  end = store.listen(() => told++);
  await settle();
});

afterEach(() => vi.useRealTimers());

describe("the live store", () => {
  it("has one subscription for all cards, and none when the last is gone", async () => {
    const endOther = store.listen(() => undefined);
    await settle();
    expect(connection.subscriptions).toHaveLength(1);
    end();
    expect(connection.subscriptions).toHaveLength(1);
    endOther();
    connection.say(snapshot(row("a")));
    await vi.advanceTimersByTimeAsync(20_000);
    end = store.listen(() => told++);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([connection.subscriptions.length, names()]).toEqual([1, ["a"]]);
    end();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([connection.subscriptions.length, names(), connection.listening()]).toEqual([0, [], 0]);
    expect(liveStore(connection)).toBe(liveStore(connection));
  });

  it("ends a subscription that comes too late", async () => {
    const other = new FakeConnection();
    subscribeLasting(other, { type: "late" }, { message: () => undefined })();
    await settle();
    expect(other.subscriptions).toHaveLength(0);
  });

  it("tells when a sensor falls silent, and when it speaks again", async () => {
    connection.say(snapshot(row("a")));
    for (let second = 0; second < 30; second++) {
      time++;
      if (second % 2) connection.say({ type: "alive", entry_id: "entry" });
      await vi.advanceTimersByTimeAsync(1000);
      expect(gateway()).toMatchObject({ connected: true, stale: false });
    }
    time += 7;
    const before = told;
    await vi.advanceTimersByTimeAsync(1000);
    expect([gateway()?.stale, gateway()?.heard, told - before]).toEqual([true, 1030, 1]);
    connection.say({ type: "alive", entry_id: "entry" });
    expect(gateway()?.stale).toBe(false);
  });

  it("knows that a sensor is missing: at once where that is told, else after a while", async () => {
    expect(store.missing).toBe(false);
    time += 7;
    await vi.advanceTimersByTimeAsync(1000);
    expect([store.missing, told > 0]).toEqual([true, true]);
    time -= 7;
    expect(store.missing).toBe(false);
    connection.say({ type: "lost", entry_id: "entry" });
    expect(store.missing).toBe(true);
    connection.say(snapshot());
    expect(store.missing).toBe(false);
  });

  it("takes what changed and what went, and leaves the rest as it was", async () => {
    expect(store.phase).toBe("waiting");
    connection.say(snapshot(row("a", { name: "A" }), row("b", { name: "B" }), row("c", { name: "C" })));
    expect(store.phase).toBe("live");
    const before = gateway()?.devices.get("c");
    connection.say(delta([row("a", { name: "AA" })], ["b"]));
    expect(names()).toEqual(["AA", "C"]);
    expect(gateway()?.devices.get("c")).toBe(before);
    expect([store.device("id-a")?.row.name, store.device("id-b")]).toEqual(["AA", undefined]);
    expect(told).toBeLessThan(3);
    await settle();
    expect(told).toBeGreaterThan(0);
  });

  it("says since when figures are old, and keeps them with their samples", async () => {
    connection.say(snapshot(row("a", { download_rate: 5 })));
    time = 1010;
    connection.say({ type: "lost", entry_id: "entry" });
    expect(gateway()).toMatchObject({ connected: false, heard: 1000 });
    expect(names()).toEqual(["a"]);
    time = 1020;
    connection.say(snapshot(row("a", { download_rate: 7 })));
    expect(gateway()).toMatchObject({ connected: true, heard: 1020 });
    expect(store.device("id-a")?.samples.map(({ download }) => download)).toEqual([5, 7]);
  });

  it("forgets a gateway that was taken out, with its devices", () => {
    connection.say(snapshot(row("a"), row("b")));
    connection.say({ ...snapshot(row("c")), entry_id: "other" });
    connection.say({ type: "lost", entry_id: "gone" });
    connection.say({ type: "removed", entry_id: "entry" });
    connection.say({ type: "removed", entry_id: "gone" });
    expect([...store.gateways.keys()]).toEqual(["other"]);
    expect([...store.devices()].map(({ row: { mac } }) => mac)).toEqual(["c"]);
    expect(store.device("id-a")).toBeUndefined();
    connection.say({ type: "removed", entry_id: "other" });
    expect(store.missing).toBe(false);
  });

  it("does not grow without end", () => {
    connection.say(snapshot(row("a")));
    for (time = 0; time < 500; time++) connection.say(delta([row("a", { download_rate: time })]));
    expect(store.device("id-a")?.samples).toHaveLength(120);
    expect(store.device("id-a")?.samples.at(-1)?.download).toBe(499);
  });

  it("subscribes anew after a lost connection", async () => {
    connection.say(snapshot(row("a")));
    connection.cut();
    expect([store.phase, gateway()?.connected]).toEqual(["offline", false]);
    connection.restore();
    await settle();
    expect(connection.subscriptions).toHaveLength(1);
    expect(gateway()?.connected).toBe(false);
    connection.say(snapshot(row("a"), row("b")));
    expect([store.phase, gateway()?.connected, names()]).toEqual(["live", true, ["a", "b"]]);
  });

  it("waits for a Home Assistant that has not loaded the integration yet", async () => {
    connection.say(snapshot(row("a")));
    connection.cut();
    connection.refusal = { code: "unknown_command" };
    connection.restore();
    await settle();
    expect(store.phase).toBe("absent");
    await vi.advanceTimersByTimeAsync(5000);
    expect(connection.subscriptions).toHaveLength(0);
    connection.refusal = undefined;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(connection.subscriptions).toHaveLength(1);
    connection.say(snapshot(row("a")));
    expect(store.phase).toBe("live");
  });

  it("asks no more once nobody listens", async () => {
    connection.refusal = { code: "unknown_command" };
    connection.restore();
    await settle();
    end();
    await vi.advanceTimersByTimeAsync(31_000);
    connection.refusal = undefined;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connection.subscriptions).toHaveLength(0);
  });

  it("hears nothing of an older subscription", async () => {
    connection.say(snapshot(row("a")));
    const [old] = connection.subscriptions;
    connection.cut();
    connection.restore();
    await settle();
    old?.callback(delta([row("ghost")]));
    expect(names()).toEqual(["a"]);
  });
});
