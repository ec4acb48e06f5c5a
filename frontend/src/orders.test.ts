// What is ordered, and that the way back leads to exactly what was there before.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { rule, said } from "../test/gateway.js";
import { type FakeHome, home, row } from "../test/home.js";
import type { Block } from "./messages.js";
import { block, blockProgram, quarantine, release, standing, unblock } from "./orders.js";
import type { LiveDevice } from "./store.js";

const NOW = 1_800_000_000;
const MAC = "00:00:5e:00:53:21";
const device = (fields = {}): LiveDevice => ({
  key: MAC,
  entryId: "entry",
  row: row(MAC, { quarantined: true, ...fields }),
  samples: [],
});

let hass: FakeHome;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW * 1000 });
  hass = home();
});
afterEach(() => vi.useRealTimers());

const before = (target = MAC) => standing(hass, "entry", target);
const rules = () => hass.gateway.rules.map(said);
const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

/** What a device may be held by, and each comes back whole. */
const HELD: Record<string, Partial<Block>> = {
  "no internet, for ever": { mode: "no_internet", reason: "Not for this one" },
  "for a while": { mode: "no_internet", expires: NOW + 600 },
  "some peers": { mode: "allow_only", peers: ["198.51.100.20", "*.vendor.example"], allow: ["dns"] },
  limited: { mode: "rate_limit", bytes_per_second: 250_000, direction: "to_lan" },
  audited: { mode: "audit", audits: "no_internet" },
  "not confirmed yet": { mode: "no_internet", confirm_by: NOW + 30 },
};

describe("the way back from a quarantine", () => {
  it.each(Object.entries(HELD))("leads to the rule that was there: %s", async (_, fields) => {
    const held = rule(MAC, fields);
    hass.gateway.rules = [held];
    const undo = await quarantine(hass, await before(), `id-${MAC}`, null);
    expect(rules()).toEqual([said(rule(MAC))]);
    pass(10);
    await undo!();
    expect(rules()).toEqual([said(held)]);
  });

  it.each([`id-${MAC}`, null])("ends that rule alone (device %s)", async (id) => {
    const part = rule(MAC, { mode: "no_internet", transport: "tcp", port: 443 });
    hass.gateway.rules = [part, rule("bad.example")];
    const undo = await quarantine(hass, await before(), id, 900);
    expect(hass.gateway.rules).toHaveLength(3);
    await undo!();
    expect(hass.gateway.rules.map(({ target, port }) => [target, port])).toEqual([
      [MAC, 443],
      ["bad.example", null],
    ]);
  });

  it("brings nothing back that would have ended meanwhile", async () => {
    hass.gateway.rules = [rule(MAC, { mode: "no_internet", expires: NOW + 5 })];
    const undo = await quarantine(hass, await before(), null, 900);
    pass(10);
    await undo!();
    expect(rules()).toEqual([]);
  });

  it("leaves alone what somebody else ordered meanwhile", async () => {
    const there = await before();
    hass.gateway.rules = [rule(MAC, { mode: "no_internet" })];
    await expect(quarantine(hass, there, null, 900)).rejects.toThrow("changed in the meantime");
    const undo = await quarantine(hass, await before(), null, null);
    hass.gateway.rules = [rule(MAC, { mode: "audit" })];
    await expect(undo!()).rejects.toThrow("changed in the meantime");
    expect(hass.gateway.rules.map(({ mode }) => mode)).toEqual(["audit"]);
    hass.gateway.rules = [];
    await undo!();
    expect(rules()).toEqual([]);
  });
});

describe("the way back from a release", () => {
  it("keeps what was left of a quarantine, and its reason", async () => {
    const held = rule(MAC, { expires: NOW + 600, reason: "Sends spam" });
    hass.gateway.rules = [held, rule(MAC, { port: 443, transport: "tcp", mode: "no_internet" })];
    const undo = await release(hass, device());
    expect(hass.gateway.rules.map(({ port }) => port)).toEqual([443]);
    pass(60);
    await undo!();
    expect(hass.gateway.rules.map(said).at(-1)).toEqual({ ...said(held), left: 540 });
  });

  it("is none where it uncovers a rule", async () => {
    const response = rule(MAC, { expires: NOW + 600, reason: "port_scan: it scans" });
    const mine = rule(MAC, { mode: "no_internet" });
    hass.gateway.rules = [response];
    hass.gateway.beneath.set(response.id, mine);
    expect(await release(hass, device())).toBeUndefined();
    expect(hass.gateway.rules).toEqual([mine]);
  });

  it("releases nobody who is not quarantined any more", async () => {
    hass.gateway.rules = [rule(MAC, { mode: "no_internet" })];
    await expect(release(hass, device({ quarantine_entity: "switch.camera" }))).rejects.toThrow("changed");
    expect(hass.gateway.rules).toHaveLength(1);
  });
});

describe("a peer", () => {
  it("is limited again, as it was, when its block is undone", async () => {
    const held = rule("bad.example", { mode: "rate_limit", packets_per_second: 5 });
    hass.gateway.rules = [held];
    const undo = await block(hass, await before("bad.example"), null);
    await undo!();
    expect(rules()).toEqual([said(held)]);
  });

  it("is blocked again for what was left", async () => {
    const held = rule("bad.example", { expires: NOW + 100 });
    hass.gateway.rules = [held];
    const undo = await unblock(hass, "entry", held);
    expect(rules()).toEqual([]);
    pass(40);
    await undo!();
    expect(rules()).toEqual([{ ...said(held), left: 60 }]);
  });
});

describe("a program", () => {
  it.each<[string, Partial<Block>]>([
    ["pid:4711", { children: true, expires: NOW + 600 }],
    ["pid:4711", { children: true, mode: "audit", audits: "isolate" }],
    ["pid:4711", { children: false, mode: "allow_only", peers: ["198.51.100.20"] }],
    ["exe:/usr/bin/curl", { mode: "audit", audits: "allow_only", peers: ["198.51.100.20"], reason: "Odd" }],
    ["dir:/opt/agent", { children: true }],
  ])("%s is held again as it was: %o", async (target, fields) => {
    const held = rule(target, fields);
    hass.gateway.rules = [held];
    const undo = await blockProgram(hass, await before(target), null);
    expect(hass.gateway.rules.map(({ id }) => id)).not.toEqual([held.id]);
    pass(10);
    await undo!();
    expect(rules()).toEqual([said(held)]);
  });

  it("is let go by the rule's own number", async () => {
    const undo = await blockProgram(hass, await before("exe:/usr/bin/curl"), 900);
    expect(rules()).toMatchObject([{ target: "exe:/usr/bin/curl", left: 900 }]);
    await undo!();
    expect(rules()).toEqual([]);
  });
});
