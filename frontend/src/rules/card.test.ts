// The rules card, as a person uses it.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { all, one, placed, settled, text } from "../../test/elements.js";
import { type FakeHome, home, row, snapshot } from "../../test/home.js";
import type { Block } from "../messages.js";
import type { HearthwallRulesCard } from "./card.js";

const MAC = "02:00:00:00:00:0a";
const NOW = 1_000_000_000;
const rule = (id: number, target: string, more: Partial<Block> = {}): Block => ({
  id,
  target,
  kind: "peer",
  mode: "isolate",
  allow: [],
  reason: "",
  created: NOW / 1000 - id,
  expires: null,
  confirm_by: null,
  packets: 0,
  bytes: 0,
  first_hit: null,
  last_hit: null,
  latency_ms: null,
  transport: null,
  port: null,
  direction: "any",
  peers: [],
  bytes_per_second: null,
  packets_per_second: null,
  redirect_to: null,
  audits: null,
  addresses: [],
  children: false,
  enforced: true,
  asked: null,
  program: null,
  ...more,
});

let hass: FakeHome;
let card: HearthwallRulesCard;
let blocks: Block[];

async function made(language = "en"): Promise<void> {
  const called: unknown[][] = [];
  hass = home({
    locale: { language, number_format: "language", time_format: "24" },
    async callService(...call: unknown[]) {
      called.push(call.slice(0, 4));
      if (hass.failure !== undefined) throw hass.failure;
      const { target } = (call[2] ?? {}) as { target?: string };
      return { response: { blocks: blocks.filter((each) => target === undefined || each.target === target) } };
    },
  } as never);
  hass.called = called;
  card = await placed<HearthwallRulesCard>("hearthwall-rules-card", { hass });
  card.setConfig({ type: "custom:hearthwall-rules-card" });
  await settled(card);
  hass.connection.say(snapshot(row(MAC, { name: "Camera", addresses: ["192.0.2.9"] })));
  await settled(card);
}

const actions = () => hass.called.map(([, action]) => action);

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  blocks = [
    rule(1, MAC, { reason: "Quarantined from Home Assistant", expires: NOW / 1000 + 840 }),
    rule(2, "198.51.100.7", { packets: 3, bytes: 180, last_hit: NOW / 1000 - 61, mode: "no_internet" }),
    rule(3, "exe:/usr/bin/nc", { reason: "port_scan: by hand", enforced: false }),
  ];
});
afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

describe("the rules card", () => {
  it("says of each rule what it is on, what it does, and for how long", async () => {
    await made();
    const [camera, peer, program] = all(card, "li").map((each) => text(each));
    expect(camera).toContain(`Camera Quarantined 14 min left ${MAC} `);
    expect(camera).toContain("Quarantined from Home Assistant Nothing dropped so far");
    expect(peer).toContain("198.51.100.7 No internet");
    expect(peer).toContain("3 packets dropped (0.2 kB) · last 1 minute ago");
    expect(program).toContain("nc Blocked /usr/bin/nc");
    expect(program).toContain("Port scan: by hand");
    expect(program).toContain("does not enforce it");
  });

  it("speaks the user's language, also where Home Assistant gave the reason", async () => {
    await made("ja");
    expect(text(card)).toContain("Home Assistant から隔離しました");
    expect(text(card)).toContain("残り 14 分");
    expect(text(card)).not.toContain("Quarantined");
  });

  it("ends a rule after a question, and asks anew", async () => {
    await made();
    one(card, "[aria-label='End the rule on 198.51.100.7']").click();
    await settled(card);
    expect(actions()).not.toContain("unblock");
    blocks = blocks.filter(({ id }) => id !== 2);
    one(card, "dialog[open] form").dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
    await settled(card);
    expect(hass.called.find(([, action]) => action === "unblock")?.[2]).toMatchObject({ id: 2, config_entry_id: "entry" });
    expect(all(card, "li")).toHaveLength(2);
    expect(text(one(card, "hearthwall-notice"))).toContain("The rule has ended. Undo");
  });

  it("asks every ten seconds, and at once when a device's rule is another", async () => {
    await made();
    const asked = () => actions().filter((action) => action === "get_blocks").length;
    const before = asked();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked()).toBe(before + 1);
    hass.connection.say(snapshot(row(MAC, { rule: { id: 9, mode: "isolate", expires: null } })));
    await settled(card);
    expect(asked()).toBe(before + 2);
    card.remove();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked()).toBe(before + 2);
  });

  it("keeps what it knew when the sensor does not answer, and says why", async () => {
    await made();
    hass.failure = new Error("Not now");
    await vi.advanceTimersByTimeAsync(5000);
    hass.connection.say({ type: "alive", entry_id: "entry" });
    await vi.advanceTimersByTimeAsync(5000);
    await settled(card);
    expect(all(card, "li")).toHaveLength(3);
    expect(text(one(card, ".notice"))).toBe("Not now");
  });

  it("says that nothing is held back, and draws no more rules than anybody reads", async () => {
    blocks = [];
    await made();
    expect(text(card)).toContain("No rule is in force");
    hass.connection.say(snapshot());
    blocks = Array.from({ length: 102 }, (_, id) => rule(id, `peer${id}.example`));
    await vi.advanceTimersByTimeAsync(10_000);
    await settled(card);
    expect(all(card, "li")).toHaveLength(100);
    one(card, ".more").click();
    await settled(card);
    expect(all(card, "li")).toHaveLength(102);
  });
});
