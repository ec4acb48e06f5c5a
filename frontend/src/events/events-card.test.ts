// The timeline, as a person uses it.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { all, one, placed, settled, text } from "../../test/elements.js";
import { event } from "../../test/events.js";
import { rule } from "../../test/gateway.js";
import { type FakeHome, home, row, snapshot } from "../../test/home.js";
import type { Event, EventDetails } from "../messages.js";
import type { HearthwallEventsCard } from "./events-card.js";
import { eventsElements } from "./index.js";

for (const [name, element] of Object.entries(eventsElements)) customElements.define(name, element);

const HOSTILE = `<img src=x onerror="alert(1)">\u202E${"x".repeat(5000)}`;
const MAC = "00:00:5e:00:53:21";

let hass: FakeHome;
let card: HearthwallEventsCard;
let asked: { type: string; seq?: number }[];
let answer: Partial<EventDetails> | Error;

async function made(config: object = {}, fields = {}): Promise<void> {
  asked = [];
  answer = {};
  hass = home({
    callWS: async <T>(message: { type: string; seq?: number }) => {
      asked.push(message);
      if (answer instanceof Error) throw answer;
      return { event: event(message.seq ?? 1), culprit: null, program: null, blockable_peer: null, has_ended: false, ...answer } as T;
    },
    ...fields,
  });
  card = await placed<HearthwallEventsCard>("hearthwall-events-card", {});
  card.setConfig({ type: "custom:hearthwall-events-card", ...config });
  card.hass = hass;
  await settled(card);
}

async function told(...events: Event[]): Promise<void> {
  hass.connection.say({ type: "events", entry_id: "entry", events }, "hearthwall/subscribe_events");
  await settled(card);
}

const lines = () => all(card, ".line") as HTMLElement[];
const orders = () => all(card, ".orders button").map((each) => each.textContent?.trim());
const wanted = () => hass.connection.subscriptions.filter(({ message }) => message.type.endsWith("events")).map(({ message }) => message);

async function click(element: Element | undefined): Promise<void> {
  (element as HTMLElement).click();
  await settled(card);
}

async function choose(label: string, value: string): Promise<void> {
  const select = one<HTMLSelectElement>(card, `select[aria-label="${label}"]`);
  select.value = value;
  select.dispatchEvent(new Event("change"));
  await settled(card);
}

async function confirm(): Promise<void> {
  one(card, "dialog[open] form").dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
  await settled(card);
}

beforeEach(() => made());
afterEach(() => card.remove());

describe("events card", () => {
  it("says in words how severe an event is, what it means and of whom it is", async () => {
    await told(event(1, { severity: "high", peer_name: "bad.example", count: 3 }));
    expect(text(lines()[0]!)).toContain("Port scan High 3 times");
    expect(text(lines()[0]!)).toContain("Camera → bad.example Event 1");
    await click(lines()[0]);
    expect(text(card)).toContain("Intruders look around like that.");
    expect(asked).toEqual([{ type: "hearthwall/event", entry_id: "entry", seq: 1 }]);
    expect(lines()[0]!.getAttribute("aria-expanded")).toBe("true");
  });

  it("makes nothing but text of what the network says", async () => {
    const bad = {
      summary: HOSTILE,
      device_name: HOSTILE,
      peer_name: HOSTILE,
      subject: HOSTILE,
      technique: "javascript:alert(1)",
      kind: HOSTILE,
      severity: HOSTILE as Event["severity"],
      gateway: HOSTILE,
      evidence: { why: HOSTILE, detector: HOSTILE, flows: [{ peer_name: HOSTILE }], chain: [{ command_line: HOSTILE }] },
    };
    answer = { event: event(1, bad), culprit: MAC, blockable_peer: HOSTILE };
    await told(event(1, bad));
    await click(lines()[0]);
    expect(all(card, "img")).toEqual([]);
    expect(all(card, "a")).toEqual([]);
    expect(text(card)).toContain("<img src=x");
    expect(text(card).length).toBeLessThan(8000);
    await click(all(card, ".orders .cut")[0]);
    expect(all(card, "img")).toEqual([]);
  });

  it("filters by severity, kind and device, and says so where none is left", async () => {
    await told(event(1), event(2, { kind: "flood", severity: "high" }), event(3, { mac: "b", device_name: "TV" }));
    expect(lines()).toHaveLength(3);
    await choose("Kind", "flood");
    expect(lines()).toHaveLength(1);
    await choose("Device", JSON.stringify(["entry", "b"]));
    expect(lines()).toHaveLength(0);
    await click(one(card, ".message button"));
    expect(lines()).toHaveLength(3);
    await choose("Severity", "high");
    expect(lines()).toHaveLength(1);
    expect(wanted()).toEqual([{ type: "hearthwall/subscribe_events", severity: "high", limit: 50 }]);
  });

  it("lets new ones wait while an event is read, and keeps it open", async () => {
    await told(event(1));
    await click(lines()[0]);
    await told(event(2));
    expect(lines()).toHaveLength(1);
    expect(text(one(card, ".news"))).toBe("Show 1 new event");
    await click(one(card, ".news button"));
    expect(lines()).toHaveLength(2);
    expect(text(one(card, ".news"))).toBe("");
  });

  it("shows new ones at once while nobody reads", async () => {
    await told(event(1));
    await told(event(2));
    expect(lines().map((each) => each.dataset["event"])).toEqual(["entry/2", "entry/1"]);
    expect(all(card, ".fresh")).toHaveLength(1);
  });

  it("does not wait for a sensor that is not there", async () => {
    expect(text(card)).toContain("Waiting for the sensor");
    hass.connection.say({ type: "lost", entry_id: "entry" });
    await settled(card);
    expect(text(card)).toContain("The sensor is not connected. What to do");
  });

  it("asks for older ones, and keeps those that it has", async () => {
    card.setConfig({ type: "x", limit: 2 });
    await settled(card);
    await told(event(8), event(9));
    await click(one(card, ".older"));
    expect(wanted()).toEqual([{ type: "hearthwall/subscribe_events", limit: 4 }]);
    expect(lines()).toHaveLength(2);
    await told(event(7), event(8), event(9));
    expect(lines()).toHaveLength(3);
    expect(all(card, ".older")).toEqual([]);
  });

  it("says of a protocol that it is spoken, as people write it", async () => {
    await told(event(1, { kind: "forbidden_protocol", subject: "stratum" }));
    await click(lines()[0]);
    await click(all(card, ".orders button")[0]);
    expect(text(one(card, "dialog[open]"))).toContain("You will no longer be told when Camera speaks Stratum.");
  });

  it("accepts what is fine, says how far that reaches, and takes it back", async () => {
    await told(event(1, { subject: "host 192.0.2.9" }));
    await click(lines()[0]);
    await click(all(card, ".orders button")[0]);
    expect(text(one(card, "dialog[open]"))).toContain("no longer be told of “Port scan” at Camera when it is about host 192.0.2.9");
    await confirm();
    expect(hass.called[0]!.slice(0, 3)).toEqual(["hearthwall", "accept", { seq: 1, config_entry_id: "entry" }]);
    expect(orders()).toEqual(["Accepted"]);
    await click(one(one(card, "hearthwall-notice"), "button"));
    expect(asked.at(-1)).toMatchObject({ type: "hearthwall/revoke", entry_id: "entry", seq: 1 });
    expect(orders()).toEqual(["This is fine"]);
  });

  it("blocks the peer that may be blocked, and quarantines who did it: never whom it was done to", async () => {
    hass.connection.say(snapshot(row("culprit", { name: "Plug" }), row(MAC, { name: "Camera" })));
    answer = { culprit: "culprit", blockable_peer: "bad.example" };
    await told(event(1));
    await click(lines()[0]);
    expect(orders()).toEqual(["This is fine", "Block bad.example", "Quarantine Plug"]);
    await click(all(card, ".orders button")[1]);
    await confirm();
    expect(hass.called[0]!.slice(0, 3)).toEqual([
      "hearthwall",
      "block",
      expect.objectContaining({ target: "bad.example", config_entry_id: "entry" }),
    ]);
    await click(one(one(card, "hearthwall-notice"), "button"));
    expect(hass.called[1]!.slice(0, 2)).toEqual(["hearthwall", "unblock"]);
    await click(all(card, ".orders button")[2]);
    await confirm();
    expect(hass.called[2]).toEqual(["hearthwall", "quarantine", {}, { device_id: ["id-culprit"] }]);
  });

  it.each([
    ["exe:/usr/bin/curl", "/usr/bin/curl loses", { executable: "exe:/usr/bin/curl" }],
    ["pid:4711", "process 4711 and all that it starts", { pid: 4711, children: true }],
  ])("cuts the program %s off after a question, and lets it go again", async (program, said, ordered) => {
    answer = { program };
    await told(event(1, { mac: null, process: "/usr/bin/curl", kind: "unexpected_process" }));
    await click(lines()[0]);
    expect(orders()).toEqual(["This is fine", "Cut curl off"]);
    await click(all(card, ".orders button")[1]);
    expect(text(one(card, "dialog[open]"))).toContain(said);
    expect(hass.called).toEqual([]);
    await confirm();
    expect(hass.called).toEqual([["hearthwall", "block_process", { ...ordered, config_entry_id: "entry" }, undefined]]);
    expect(hass.gateway.rules.map(({ target }) => target)).toEqual([program]);
    await click(one(one(card, "hearthwall-notice"), "button"));
    expect(hass.gateway.rules).toEqual([]);
  });

  it("blocks no peer for less long than it is blocked", async () => {
    answer = { blockable_peer: "bad.example" };
    hass.gateway.rules = [rule("bad.example")];
    await told(event(1));
    await click(lines()[0]);
    await click(all(card, ".orders button")[1]);
    expect(all(card, "dialog[open]")).toEqual([]);
    expect(text(one(card, "hearthwall-notice"))).toBe("bad.example is cut off already.");
    expect(hass.called).toEqual([]);
  });

  it("cuts nobody off whose process has ended by the time of the order", async () => {
    answer = { program: "pid:4711" };
    await told(event(1, { mac: null, process: "/usr/bin/bash" }));
    await click(lines()[0]);
    answer = { program: null, has_ended: true };
    await click(all(card, ".orders button")[1]);
    await confirm();
    expect(text(one(card, "dialog[open] [role=alert]"))).toContain("The process has ended");
    expect(hass.called).toEqual([]);
  });

  it("says in the sensor's words why it refuses", async () => {
    answer = { program: "exe:/usr/bin/curl" };
    await told(event(1, { mac: null, process: "/usr/bin/curl" }));
    await click(lines()[0]);
    hass.failure = { message: "This target has to stay reachable: <b>curl</b>" };
    await click(all(card, ".orders button")[1]);
    await confirm();
    expect(text(one(card, "dialog[open] [role=alert]"))).toBe("This target has to stay reachable: <b>curl</b>");
    expect(all(card, "hearthwall-notice .bar:not([hidden])")).toEqual([]);
  });

  it("asks again whenever an event is opened: a process may have ended since", async () => {
    answer = { program: "pid:4711" };
    await told(event(1, { mac: null, process: "/usr/bin/bash" }));
    await click(lines()[0]);
    await click(lines()[0]);
    answer = { program: null, has_ended: true };
    await click(lines()[0]);
    expect(orders()).toEqual(["This is fine"]);
    expect(text(card)).toContain("The process has ended");
  });

  it("offers no order where the sensor does not answer, and asks again", async () => {
    answer = new Error("Timed out");
    await told(event(1));
    await click(lines()[0]);
    expect(text(card)).toContain("nothing can be ordered now: Timed out");
    expect(all(card, ".orders")).toEqual([]);
    answer = {};
    await click(one(card, ".details p button"));
    expect(orders()).toEqual(["This is fine"]);
  });

  it("says that all is calm where nothing was noticed", async () => {
    await told();
    expect(text(card)).toContain("All is calm.");
  });

  it("keeps what it has when its settings change in something else", async () => {
    await told(event(1));
    card.setConfig({ type: "custom:hearthwall-events-card", title: "What happened" });
    await settled(card);
    expect(lines()).toHaveLength(1);
    card.setConfig({ type: "custom:hearthwall-events-card", severity: "high" });
    await settled(card);
    expect(lines()).toHaveLength(0);
    expect(text(card)).not.toContain("All is calm.");
    await told();
    expect(text(card)).toContain("All is calm.");
  });

  it("offers nothing against whom it was true of when the event was open before", async () => {
    answer = { culprit: MAC };
    await told(event(1));
    await click(lines()[0]);
    expect(orders()).toEqual(["This is fine", "Quarantine Camera"]);
    await click(lines()[0]);
    hass.callWS = () => new Promise(() => undefined);
    await click(lines()[0]);
    expect(orders()).toEqual([]);
  });

  it("advises on a program what can be done about programs", async () => {
    const advice = () => text(one(card, ".advice"));
    answer = { program: "exe:/usr/bin/nmap" };
    await told(event(1, { mac: null, process: "/usr/bin/nmap" }), event(2));
    for (const line of [1, 0]) {
      await click(lines()[line]);
      expect(advice()).not.toContain("uarantine");
      expect(advice()).toContain("If you know what the program does there");
    }
    answer = { culprit: MAC };
    await click(lines()[0]);
    await click(lines()[0]);
    expect(advice()).toContain("uarantine the device");
  });

  it("says when a sensor, or Home Assistant, is lost, and keeps what it has", async () => {
    hass.connection.say(snapshot());
    await told(event(1));
    hass.connection.say({ type: "lost", entry_id: "entry" });
    await settled(card);
    expect(text(card)).toContain("The sensor of Gateway is not connected.");
    hass.connection.cut();
    await settled(card);
    expect(text(card)).toContain("No connection to Home Assistant.");
    expect(lines()).toHaveLength(1);
    hass.connection.restore();
    await settled(card);
    await told(event(1), event(2));
    expect(lines()).toHaveLength(2);
    expect(text(card)).not.toContain("No connection");
  });

  it("asks for nothing where the user may not see it", async () => {
    card.remove();
    await made({}, { user: { is_admin: false } });
    expect(text(card)).toContain("Only administrators");
    expect(hass.connection.subscriptions).toEqual([]);
  });

  it("listens to nobody once it is gone", async () => {
    await told(event(1));
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    card.remove();
    // The live rows, which all cards share, linger
    await vi.advanceTimersByTimeAsync(600_000);
    vi.useRealTimers();
    expect(hass.connection.subscriptions).toEqual([]);
    expect(hass.connection.listening()).toBe(0);
  });

  it("refuses what it does not know", () => {
    expect(() => card.setConfig({ type: "x", severity: "dire" as "high" })).toThrow("severity");
    expect(() => card.setConfig({ type: "x", limit: 0 })).toThrow("limit");
  });
});
