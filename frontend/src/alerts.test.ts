// What asks for attention, and for whose.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { all, one, placed, settled, text } from "../test/elements.js";
import { event } from "../test/events.js";
import { type FakeHome, home, row, snapshot } from "../test/home.js";
import type { HearthwallDevicesCard } from "./devices/card.js";
import type { Event } from "./messages.js";
import type { HearthwallBadge } from "./small/badge.js";

const NOW = 1_795_100_000;
const HIGH = { severity: "high", mac: "a", time: NOW - 60 } as const;

let hass: FakeHome;
let accepted: { entry_id: string; seq: number }[];
let asked: string[];
let card: HearthwallDevicesCard;
let badge: HearthwallBadge;

async function made(admin = true): Promise<void> {
  asked = [];
  hass = home({
    user: { is_admin: admin },
    callWS: async <T>({ type }: { type: string }) => {
      asked.push(type);
      if (type !== "hearthwall/accepted") throw new Error("Not asked for here");
      return { accepted } as T;
    },
  });
  card = await placed<HearthwallDevicesCard>("hearthwall-devices-card", { hass });
  card.setConfig({ type: "custom:hearthwall-devices-card" });
  badge = await placed<HearthwallBadge>("hearthwall-badge", { hass });
  badge.setConfig({ type: "custom:hearthwall-badge", navigation_path: "devices" });
  await settled(card);
  hass.connection.say(snapshot(row("a", { name: "Plug" }), row("b", { name: "TV" })));
  await settled(card);
}

async function happened(...events: Event[]): Promise<void> {
  hass.connection.say({ type: "events", entry_id: "entry", events }, "hearthwall/subscribe_events");
  await settled(document.body);
}

const marks = () => all(card, "button.alert").map((each) => text(each));

beforeEach(() => {
  vi.useFakeTimers({ now: NOW * 1000 });
  accepted = [];
});
afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

describe("alerts", () => {
  it("mark the device, the gravest in words, and turn the badge", async () => {
    await made();
    await happened(event(1, HIGH), event(2, { ...HIGH, severity: "critical", kind: "threat_address" }), event(3, { ...HIGH, mac: null }));
    expect(marks()).toEqual(["Listed address and 1 more"]);
    expect(all(card, "hearthwall-device-row").filter((each) => text(each).includes("Listed address"))).toHaveLength(1);
    expect(text(badge)).toContain("alerts: 3");
    expect(one(badge, ".badge").classList).toContain("critical");
  });

  it("ask for severe events only, and end with what was accepted or is of another day", async () => {
    await made();
    const [subscription] = hass.connection.subscriptions.filter(({ message }) => message.type === "hearthwall/subscribe_events");
    expect(subscription?.message).toMatchObject({ severity: "high" });
    await happened(event(1, HIGH), event(2, { ...HIGH, time: NOW - 86_399 }), event(3, { ...HIGH, time: NOW - 90_000 }));
    expect(text(badge)).toContain("alerts: 2");
    accepted = [{ entry_id: "entry", seq: 1 }];
    await vi.advanceTimersByTimeAsync(15_000);
    await settled(document.body);
    hass.connection.say(snapshot(row("a", { name: "Plug" })));
    await settled(document.body);
    expect([marks(), text(badge)]).toEqual([[], "Hearthwall 1/1 online"]);
  });

  it("lead to the device's events", async () => {
    await made();
    await happened(event(1, HIGH));
    one(card, "button.alert").click();
    await settled(card);
    expect(one<HTMLElement & { deviceId: string; at: string }>(card, "hearthwall-device-view")).toMatchObject({ deviceId: "id-a", at: "events" });
  });

  it("are for administrators only", async () => {
    await made(false);
    expect(hass.connection.subscriptions.map(({ message }) => message.type)).toEqual(["hearthwall/subscribe_devices"]);
    expect(asked).not.toContain("hearthwall/accepted");
  });

  it("ask nothing while there are none, nor when nobody looks any more", async () => {
    await made();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).not.toContain("hearthwall/accepted");
    await happened(event(1, HIGH));
    document.body.replaceChildren();
    await vi.advanceTimersByTimeAsync(60_000);
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([asked.length - before, hass.connection.subscriptions]).toEqual([0, []]);
  });
});

describe("the badge", () => {
  it("is a link where it leads somewhere", async () => {
    await made();
    const went: string[] = [];
    window.addEventListener("location-changed", () => went.push(location.pathname), { once: true });
    one(badge, "button.badge").click();
    expect(went).toEqual(["/devices"]);
    badge.setConfig({ type: "custom:hearthwall-badge" });
    await settled(badge);
    expect(all(badge, "button")).toEqual([]);
  });

  it("is no green shield without a sensor, or with one that does not answer", async () => {
    await made();
    await vi.advanceTimersByTimeAsync(8000);
    await settled(document.body);
    expect(text(badge)).toContain("no answer");
    expect(one(badge, ".badge").classList).toContain("silent");
    expect(text(card)).toContain("The sensor does not answer: figures of");
    expect(text(card)).toContain("What to do");
    hass.connection.say({ type: "lost", entry_id: "entry" });
    await settled(document.body);
    expect([text(badge), one(badge, ".badge").className]).toEqual(["Hearthwall Not connected", "badge lost"]);
  });
});
