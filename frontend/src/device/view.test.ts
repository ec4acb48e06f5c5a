// The device view: what it asks for, what it shows, and its orders with their way back.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { all, one, placed, settled, text } from "../../test/elements.js";
import { event } from "../../test/events.js";
import { FakeGateway, rule } from "../../test/gateway.js";
import { delta, type FakeHome, home, row, snapshot } from "../../test/home.js";
import type { DeviceDetails, EventDetails, ProfileReport, Usage } from "../messages.js";
import { spans, totals } from "./data.js";
import { profileSentences } from "./profile.js";
import type { HearthwallDeviceView } from "./view.js";

const HOSTILE = '<img src=x onerror="alert(1)">';
const habit = (name: string) => ({ name, count: 1, last_seen: 0 });
const PROFILE: ProfileReport = {
  mac: "a",
  since: 0,
  learning_until: 100,
  sure: 0.83,
  frozen: false,
  domains: ["-", HOSTILE, "cam.example"].map(habit),
  countries: [habit("DE")],
  networks: [],
  ports: [habit("tcp/443")],
  applications: [],
  upload_this_hour: null,
  download_this_hour: null,
  upload_a_day: { usual: 2e6, most: 3e6, seen: 9 },
  download_a_day: { usual: 5e6, most: 9e6, seen: 9 },
  model: null,
  mud: null,
  accepted: [],
};
const BLOCK = rule("203.0.113.9", {
  id: 7,
  kind: "address",
  mode: "rate_limit",
  allow: ["addressing"],
  reason: HOSTILE,
  packets: 1234,
  bytes: 98_765,
  bytes_per_second: 1000,
});
const EVENT = event(40, {
  kind: "unexpected_destination",
  severity: "high",
  mac: "a",
  peer_address: "203.0.113.9",
  peer_name: "bad.example",
  summary: HOSTILE,
});
const VERDICT: EventDetails = {
  event: EVENT,
  culprit: null,
  program: null,
  blockable_peer: "bad.example",
  has_ended: false,
};
const DETAILS: DeviceDetails = { entry_id: "entry", mac: "a", profile: PROFILE, blocks: [BLOCK], accepted: [] };

let hass: FakeHome;
let view: HearthwallDeviceView;
let asked: Record<string, unknown>[];
let answers: Record<string, unknown>;

async function made(fields = {}): Promise<void> {
  asked = [];
  answers = {
    "hearthwall/device": DETAILS,
    "hearthwall/event": VERDICT,
    "hearthwall/usage": {
      rows: [
        { peer: "cam.example", country: "DE", upload_bytes: 1e6, download_bytes: 2e6, flows: 1 },
        { peer: "ff02::fb", country: null, upload_bytes: 0, download_bytes: 0, flows: 1 },
        { peer: null, country: null, upload_bytes: 0, download_bytes: 1e6, flows: 1 },
      ],
      upload_bytes: 2e6,
      download_bytes: 4e6,
      flows: 3,
    },
  };
  hass = home({
    callWS: async <T>(message: { type: string }) => {
      asked.push(message);
      if (!(message.type in answers)) throw { message: `${message.type} failed` };
      return answers[message.type] as T;
    },
    ...fields,
  });
  view = await placed<HearthwallDeviceView>("hearthwall-device-view", { hass, deviceId: "id-a" });
  hass.connection.say(snapshot(row("a", { name: "Camera" })));
  hass.connection.say({ type: "events", entry_id: "entry", events: [EVENT] }, "hearthwall/subscribe_events");
  await settled(view);
}

async function click(element: Element): Promise<void> {
  (element as HTMLElement).click();
  await settled(view);
}

async function submit(): Promise<void> {
  one(view, "dialog[open] form").dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
  await settled(view);
}

const button = (words: string) => all(view, "button").find((each) => each.textContent?.trim() === words) as HTMLElement;

/** Open the event, or close it. */
const open = () => click(one(view, ".event .line"));
const orders = () => all(view, ".orders button").map((each) => each.textContent?.trim());

beforeEach(() => made());
afterEach(() => document.body.replaceChildren());

describe("the device view", () => {
  it("shows all there is, as text", () => {
    const shown = text(view);
    expect(shown).toContain("cam.example Germany");
    expect(shown).toContain("3 MB 50%");
    expect(shown).toContain("All others 2 MB 33%");
    expect(shown).toContain("1,234 packets dropped (98.8 kB)");
    expect(shown).toContain("Unexpected destination");
    expect(shown).toContain(`Talks to ${HOSTILE} and cam.example.`);
    expect(all(view, "img")).toEqual([]);
  });

  it("offers no order where Home Assistant may only read, and says so", async () => {
    expect(all(view, "header button")).toHaveLength(1);
    hass.connection.say({ ...snapshot(row("a", { name: "Camera" })), role: "read" });
    await settled(view);
    expect(all(view, "header button, .peers button, .rule button")).toEqual([]);
    expect(text(one(view, ".notice"))).toContain("may only read");
  });

  it("offers to block whom it talks to: not everybody, and not the home's own devices", async () => {
    const label = 'button[aria-label^="Block "]';
    expect(all(view, label).map((each) => each.getAttribute("aria-label"))).toEqual(["Block cam.example"]);
    const usage = answers["hearthwall/usage"] as Usage;
    usage.rows.push({ ...usage.rows[0]!, peer: "192.0.2.20" });
    hass.connection.say(delta([row("b", { name: "NAS", addresses: ["192.0.2.20"] })]));
    await settled(view);
    expect(all(view, label)).toHaveLength(1);
  });

  it("joins what goes to everybody, and offers to block nobody at home", async () => {
    const peers = ["ff02::fb", "239.255.255.250", "169.254.1.1", "192.168.20.1", "fd00::1", "router.lan", "2001:db8:20::1", "10.example", "2001:db8:21::1"];
    answers["hearthwall/usage"] = {
      rows: peers.map((peer) => ({ peer, country: null, upload_bytes: 1000, download_bytes: 0, flows: 1 })),
      upload_bytes: 1e6,
      download_bytes: 0,
      flows: 9,
    };
    (view as unknown as { deviceId: string }).deviceId = "id-b";
    hass.connection.say(snapshot(row("b", { name: "TV", addresses: ["2001:db8:20:0:1::2"] })));
    await settled(view);
    const lines = all(view, ".peers li").map((each) => text(each));
    expect(lines.filter((line) => line.includes("multicast"))).toEqual(["Everybody in the network (multicast) 3 kB <1%"]);
    expect(lines.filter((line) => line.endsWith("Block")).map((line) => line.split(" ")[0])).toEqual(["10.example", "2001:db8:21::1"]);
    expect(lines.join()).not.toMatch(/ff02|239\.|169\.| 0%/);
  });

  it("says when the statistics began, if not a day ago", async () => {
    const [hour, now] = [3_600_000, Date.now()];
    const placedOne = async (start: number) => {
      document.body.replaceChildren();
      await made({
        config: { components: ["hearthwall", "recorder"], time_zone: "UTC" },
        entities: { d: { entity_id: "sensor.d", platform: "hearthwall", translation_key: "download_total", device_id: "id-a" } },
      });
      answers["recorder/statistics_during_period"] = { "sensor.d": [{ start, change: 0 }, { start: now - hour, change: 5e6 }] };
      (view as unknown as { data: { refresh(): Promise<void> } }).data.refresh();
      await settled(view);
      return text(one(view, "hearthwall-history"));
    };
    expect(await placedOne(now - 2 * hour)).toMatch(/↓ 5 MB · ↑ 0 kB since .*, when Home Assistant’s statistics of it began/);
    expect(await placedOne(now - 24 * hour)).not.toContain("began");
  });

  it("has a place for each figure of a peer, also where nothing can be blocked", () => {
    const lines = all(view, ".peers .line");
    expect(lines).toHaveLength(4);
    expect(new Set(lines.map((each) => each.childElementCount))).toEqual(new Set([5]));
    expect(lines.map((each) => [...each.children].findIndex((part) => part.matches(".share")))).toEqual([3, 3, 3, 3]);
  });

  it("asks the sensor whom an order for an event may cut off, and offers none against the victim", async () => {
    expect(orders()).toEqual([]);
    await open();
    expect(asked.at(-1)).toEqual({ type: "hearthwall/event", entry_id: "entry", seq: 40 });
    expect(orders()).toEqual(["This is fine", "Block bad.example"]);
    await open();
    answers["hearthwall/event"] = { ...VERDICT, blockable_peer: null, culprit: "a" };
    await open();
    expect(orders()).toEqual(["This is fine", "Quarantine Camera"]);
    await open();
    answers["hearthwall/event"] = { ...VERDICT, blockable_peer: null };
    await open();
    expect(orders()).toEqual(["This is fine"]);
    await open();
    delete answers["hearthwall/event"];
    await open();
    expect(orders()).toEqual([]);
    expect(text(view)).toContain("nothing can be ordered now: hearthwall/event failed");
  });

  it("blocks the peer of an event, and shows the rules as they are then", async () => {
    await open();
    const before = asked.length;
    await click(button("Block bad.example"));
    await submit();
    expect(hass.called.find(([, name]) => name === "block")?.[2]).toEqual({
      target: "bad.example",
      config_entry_id: "entry",
    });
    expect(asked.slice(before).map(({ type }) => type)).toContain("hearthwall/device");
  });

  it("blocks a peer after a question, and lets it go again", async () => {
    await click(one(view, 'button[aria-label="Block cam.example"]'));
    expect(hass.called.filter(([, name]) => name === "block")).toEqual([]);
    await submit();
    expect(hass.called.find(([, name]) => name === "block")?.[2]).toEqual({
      target: "cam.example",
      config_entry_id: "entry",
    });
    expect(hass.gateway.rules.map(({ target }) => target)).toEqual(["cam.example"]);
    await click(one(one(view, "hearthwall-notice"), "button"));
    expect(hass.gateway.rules).toEqual([]);
  });

  it("offers to release a peer that is blocked already", async () => {
    document.body.replaceChildren();
    await made({ gateway: Object.assign(new FakeGateway(), { rules: [rule("cam.example")] }) });
    expect(all(view, 'button[aria-label="Unblock cam.example"]')).toHaveLength(1);
  });

  it("ends a rule, and on the way back orders the same again", async () => {
    hass.gateway.rules = [BLOCK];
    await click(all(view, ".rule button").find((each) => each.textContent?.trim() === "End") as HTMLElement);
    await submit();
    expect(hass.called.find(([, name]) => name === "unblock")?.[2]).toEqual({ id: 7, config_entry_id: "entry" });
    await click(one(one(view, "hearthwall-notice"), "button"));
    expect(hass.called.find(([, name]) => name === "block")?.[2]).toEqual({
      target: "203.0.113.9",
      config_entry_id: "entry",
      mode: "rate_limit",
      allow: ["addressing"],
      reason: HOSTILE,
      direction: "any",
      bytes_per_second: 1000,
    });
  });

  it("accepts an event, and takes that back", async () => {
    answers["hearthwall/revoke"] = {};
    await open();
    await click(button("This is fine"));
    await submit();
    expect(hass.called.find(([, name]) => name === "accept")?.[2]).toEqual({ seq: 40, config_entry_id: "entry" });
    await click(one(one(view, "hearthwall-notice"), "button"));
    expect(asked.find(({ type }) => type === "hearthwall/revoke")).toMatchObject({ entry_id: "entry", seq: 40 });
  });

  it("says what could not be had, and shows the rest", async () => {
    delete answers["hearthwall/usage"];
    (view as unknown as { deviceId: string }).deviceId = "id-b";
    hass.connection.say(snapshot(row("b", { name: "TV" })));
    await settled(view);
    expect(text(view)).toContain("hearthwall/usage failed");
    expect(text(view)).toContain("packets dropped");
  });

  it("asks for nothing that is not for everybody", async () => {
    document.body.replaceChildren();
    await made({ user: { is_admin: false } });
    expect(asked).toEqual([]);
    expect(hass.connection.subscriptions.map(({ message }) => message.type)).toEqual(["hearthwall/subscribe_devices"]);
    expect(text(view)).toContain("Only administrators");
  });

  it("asks no more when it is gone", async () => {
    view.remove();
    await settled(view);
    expect(hass.connection.subscriptions.map(({ message }) => message.type)).toEqual(["hearthwall/subscribe_devices"]);
  });

  it("says when nobody knows the device, or none was chosen", async () => {
    (view as unknown as { deviceId: string | undefined }).deviceId = "id-z";
    await settled(view);
    expect(text(view)).toContain("does not know this device");
    (view as unknown as { deviceId: string | undefined }).deviceId = undefined;
    await settled(view);
    expect(text(view)).toContain("Choose a device");
  });
});

describe("what stands behind it", () => {
  it("a day is cut into spans without gaps, and a reset moves nothing back", () => {
    const minute = 60_000;
    const cut = spans(
      [
        { start: 10 * minute, change: 5 },
        { start: 15 * minute, change: 7 },
        { start: 20 * minute, change: -100 },
        { start: 999 * minute, change: 1 },
      ],
      [{ start: 10 * minute, change: null }],
      5 * minute,
      50 * minute,
      15,
    );
    expect(cut.map(({ start, download, upload }) => [start / minute, download, upload])).toEqual([
      [0, 5, 0],
      [15, 7, 0],
      [30, 0, 0],
      [45, 0, 0],
    ]);
  });

  it("the totals are those of the device and of ours", () => {
    const entity = (entity_id: string, device_id: string, platform: string, translation_key: string) => [
      entity_id,
      { entity_id, device_id, platform, translation_key },
    ];
    const entities = Object.fromEntries([
      entity("sensor.d", "id-a", "hearthwall", "download_total"),
      entity("sensor.u", "id-a", "hearthwall", "upload_total"),
      entity("sensor.r", "id-a", "hearthwall", "download_rate"),
      entity("sensor.other", "id-b", "hearthwall", "download_total"),
      entity("sensor.foreign", "id-a", "router", "upload_total"),
    ]);
    expect(totals({ entities }, "id-a")).toEqual({ download: "sensor.d", upload: "sensor.u" });
  });

  it("a profile is said in the user's language, and as far as it is known", () => {
    const bare = { ...PROFILE, domains: [habit("-")], countries: [], ports: [], upload_a_day: null };
    expect(profileSentences(home(), bare, 50)).toHaveLength(1);
    expect(profileSentences(home(), { ...bare, frozen: true }, 50)[0]).toContain("frozen");
    const ja = home({ locale: { language: "ja", number_format: "language", time_format: "24" } });
    expect(profileSentences(ja, PROFILE, 200).join("")).toContain("ドイツ");
    expect(profileSentences(home(), PROFILE, 200)[0]).toContain("83%");
  });
});
