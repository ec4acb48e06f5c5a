// The gateway card, as a person sees it.

import { afterEach, describe, expect, it, vi } from "vitest";
import { all, one, placed, settled, text } from "../../test/elements.js";
import { type FakeHome, home, snapshot } from "../../test/home.js";
import type { GatewayReport } from "../messages.js";
import type { HearthwallGatewayCard } from "./card.js";

const HOSTILE = `<img src=x onerror="alert(1)">${"x".repeat(200)}`;
const REPORT: GatewayReport = {
  entry_id: "entry",
  gateway: "Gateway",
  integration_version: "1.0.0",
  sensor_version: "0.9.0",
  uptime: 7200,
  memory: 60e6,
  lost: 3,
  interfaces: [
    { name: "lan0", role: "lan", xdp: "native" },
    { name: "wan0", role: "wan", xdp: "something new" },
  ],
  feeds: [
    { name: HOSTILE, action: "drop", entries: 1002, packets: 12, last_hit: 1, updated: 1, last_error: null },
    { name: "names", action: "audit", entries: 5, packets: 0, last_hit: null, updated: null, last_error: "HTTP 404" },
  ],
};

let hass: FakeHome;
let card: HearthwallGatewayCard;
let asked: Record<string, unknown>[];

async function made(answer: () => GatewayReport, admin = true): Promise<void> {
  asked = [];
  hass = home({
    user: { is_admin: admin },
    callWS: async <T>(message: { type: string }) => {
      asked.push(message);
      return answer() as T;
    },
  });
  card = await placed<HearthwallGatewayCard>("hearthwall-gateway-card", { hass });
  card.setConfig({ type: "custom:hearthwall-gateway-card" });
  await settled(card);
  hass.connection.say(snapshot());
  await settled(card);
}

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

describe("the gateway card", () => {
  it("says how the gateway is: connection, versions, interfaces and feeds with their hits", async () => {
    await made(() => REPORT);
    expect(asked).toEqual([{ type: "hearthwall/gateway", entry_id: "entry" }]);
    expect(text(card)).toContain("Connected");
    expect(text(one(card, "dl"))).toBe("Sensor 0.9.0 Integration 1.0.0 Running for 2 hours Memory 60 MB Packets missed 3");
    const [lan, wan, feed, names] = all(card, "li").map((each) => text(each));
    expect(lan).toBe("lan0 home XDP: in the driver");
    expect(wan).toBe("wan0 internet XDP: not available, tc drops");
    expect(feed).toContain(`${HOSTILE} 12 hits drops · 1,002 entries`);
    expect(names).toBe("names no hits only counts · 5 entries HTTP 404");
    expect(all(card, "img")).toEqual([]);
  });

  it("says when there is no connection, and asks again when it is back", async () => {
    await made(() => REPORT);
    hass.connection.say({ type: "lost", entry_id: "entry" });
    await settled(card);
    expect(text(one(card, ".state"))).toBe("Not connected");
    expect(asked).toHaveLength(1);
    hass.connection.say(snapshot());
    await settled(card);
    expect([text(one(card, ".state")), asked.length]).toEqual(["Connected", 2]);
  });

  it("says why it can tell nothing, and asks every 15 seconds while it is there", async () => {
    vi.useFakeTimers();
    await made(() => {
      throw new Error("It is broken");
    });
    expect(text(one(card, ".notice"))).toBe("It is broken");
    await vi.advanceTimersByTimeAsync(15_000);
    expect(asked).toHaveLength(2);
    card.remove();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(2);
  });

  it("tells who is no administrator whether there is a connection, and no more", async () => {
    await made(() => REPORT, false);
    expect([asked, text(one(card, ".state"))]).toEqual([[], "Connected"]);
    expect(text(card)).toContain("Only administrators");
  });
});
