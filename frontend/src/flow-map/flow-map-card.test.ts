// The flow map, as a person uses it.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { all, one, placed, settled, text } from "../../test/elements.js";
import { type FakeHome, home } from "../../test/home.js";
import type { Usage, UsageRow } from "../messages.js";
import { COLOURS, Colours } from "./colours.js";
import type { HearthwallFlowMapCard } from "./flow-map-card.js";
import { flowMapElements } from "./index.js";

for (const [name, element] of Object.entries(flowMapElements)) customElements.define(name, element);

/** jsdom draws nothing: a frame is as wide as it is told. */
class Observer {
  constructor(private readonly callback: (entries: { contentRect: { width: number } }[]) => void) {}
  observe(): void {
    this.callback([{ contentRect: { width: 800 } }]);
  }
  disconnect(): void {}
}
vi.stubGlobal("ResizeObserver", Observer);

const HOSTILE = `<img src=x onerror="alert(1)"> · \u202E${"x".repeat(500)}`;
const moved = (mac: string, application: string | null, country: string | null, bytes: number, domain = "a.example"): UsageRow => ({
  mac,
  name: `Device ${mac}`,
  device_id: mac,
  application,
  country,
  domain,
  upload_bytes: bytes,
  download_bytes: 0,
  flows: 1,
});

let hass: FakeHome;
let card: HearthwallFlowMapCard;
let asked: { by: string[]; since: number; device_id?: string }[];
let rows: UsageRow[];
let failure: Error | undefined;

async function made(config: object = {}, fields = {}): Promise<void> {
  asked = [];
  failure = undefined;
  hass = home({
    callWS: async <T>(message: unknown) => {
      asked.push(message as (typeof asked)[number]);
      if (failure) throw failure;
      const upload = rows.reduce((sum, each) => sum + each.upload_bytes, 0);
      return { rows, upload_bytes: upload, download_bytes: 0, flows: rows.length } satisfies Usage as T;
    },
    ...fields,
  });
  card = await placed<HearthwallFlowMapCard>("hearthwall-flow-map-card", {});
  card.setConfig({ type: "custom:hearthwall-flow-map-card", ...config });
  card.hass = hass;
  await settled(card);
}

const label = (name: string) => all(card, ".label").find((each) => text(each).startsWith(name)) as HTMLElement;
const faded = () => all(card, ".label.faded").map((each) => text(each.querySelector(".name")!)).sort();

async function press(element: HTMLElement, key: string): Promise<void> {
  element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true }));
  await settled(card);
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  rows = [moved("a", "tls", "DE", 600), moved("b", "tls", "US", 300), moved("b", "dns", "DE", 100)];
  await made();
});
afterEach(() => {
  card.remove();
  vi.useRealTimers();
});

describe("flow map card", () => {
  it("shows devices, applications and countries by name, the largest first", () => {
    expect(all(card, ".label .name").map((each) => text(each))).toEqual([
      ...["Device a", "Device b"],
      ...["TLS", "DNS"],
      ...["Germany", "United States"],
    ]);
    expect(asked.map(({ by, since }) => [by, since])).toEqual([[["mac", "application", "country"], 86_400]]);
  });

  it("singles out what is chosen, by pointer and keys, until it is chosen again", async () => {
    label("Device a").click();
    await settled(card);
    expect(faded()).toEqual(["DNS", "Device b", "United States"]);
    expect(label("Device a").getAttribute("aria-pressed")).toBe("true");
    expect(text(one(card, ".caption"))).toContain("Device a · 0.6 kB (60%)");
    label("Device a").click();
    await settled(card);
    expect(faded()).toEqual([]);
    label("DNS").click();
    await settled(card);
    expect(faded()).toEqual(["Device a", "TLS", "United States"]);
    await press(label("DNS"), "Escape");
    expect(faded()).toEqual([]);
  });

  it("has one stop for the tabulator, and arrows between nodes", async () => {
    const stops = () => all(card, '.label[tabindex="0"]').map((each) => text(each.querySelector(".name")!));
    expect(stops()).toEqual(["Device a"]);
    await press(label("Device a"), "ArrowDown");
    expect(stops()).toEqual(["Device b"]);
    await press(label("Device b"), "ArrowRight");
    expect(stops()).toEqual(["DNS"]);
    await press(label("DNS"), "ArrowDown");
    expect(stops()).toEqual(["DNS"]);
  });

  it("keeps its elements, and what is chosen, from one answer to the next", async () => {
    label("Device b").click();
    await settled(card);
    const [before, paths] = [label("Device b"), all(card, "path.stream")];
    rows = [...rows, moved("c", "tls", "DE", 50)];
    await vi.advanceTimersByTimeAsync(15_000);
    await settled(card);
    expect(label("Device c")).toBeDefined();
    expect(label("Device b")).toBe(before);
    expect(all(card, "path.stream")).toEqual(expect.arrayContaining(paths));
    expect(faded()).toEqual(["Device a", "Device c"]);
  });

  it("lets go of what is gone", async () => {
    label("Device b").click();
    await settled(card);
    rows = rows.slice(0, 1);
    await vi.advanceTimersByTimeAsync(15_000);
    await settled(card);
    expect(faded()).toEqual([]);
  });

  it("shows domains where no country is known", async () => {
    rows = rows.map((each) => ({ ...each, country: null }));
    card.remove();
    await made();
    expect(asked.map(({ by }) => by[2])).toEqual(["country", "domain"]);
    expect(all(card, ".label .name").map((each) => text(each))).toContain("a.example");
    expect(one<HTMLSelectElement>(card, "select.end").value).toBe("domain");
  });

  it("asks for what is chosen: a period, a column, a device", async () => {
    (all(card, ".periods button")[2] as HTMLElement).click();
    await settled(card);
    expect(asked.at(-1)!.since).toBe(7 * 86_400);
    const select = one<HTMLSelectElement>(card, "select.middle");
    select.value = "domain";
    select.dispatchEvent(new Event("change"));
    await settled(card);
    expect(asked.at(-1)!.by).toEqual(["mac", "domain", "country"]);
    card.setConfig({ type: "x", device_id: "one", period: "1h" });
    await settled(card);
    expect(asked.at(-1)).toMatchObject({ device_id: "one", since: 3600 });
  });

  it("has the same as a table", async () => {
    one(card, "button.icon").click();
    await settled(card);
    const cells = all(card, "tbody tr").map((each) => [...each.children].map((cell) => text(cell)).join("|"));
    expect(cells).toEqual([
      "Device a|TLS|Germany|0.6 kB|0 kB",
      "Device b|TLS|United States|0.3 kB|0 kB",
      "Device b|DNS|Germany|0.1 kB|0 kB",
    ]);
    expect(text(one(card, "tfoot"))).toBe("All together 1 kB 0 kB");
  });

  it("makes nothing but text of names, and no place of their parts", async () => {
    rows = [{ ...moved("a", HOSTILE, "<b>", 100, HOSTILE), name: HOSTILE }];
    card.remove();
    await made();
    expect(all(card, "img")).toEqual([]);
    expect(all(card, ".label .name").every((each) => text(each).length <= 81)).toBe(true);
    expect(text(all(card, ".label .amount")[0]!)).toBe("0.1 kB");
  });

  it("keeps the map where the sensor is lost, and says so", async () => {
    failure = new Error("Not connected");
    await vi.advanceTimersByTimeAsync(15_000);
    await settled(card);
    expect(text(one(card, ".notice"))).toContain("Not connected");
    expect(label("Device a")).toBeDefined();
    failure = undefined;
    await vi.advanceTimersByTimeAsync(15_000);
    await settled(card);
    expect(all(card, ".notice")).toEqual([]);
  });

  it("says that nothing moved, and what only administrators may see", async () => {
    rows = [];
    card.remove();
    await made();
    expect(text(card)).toContain("Nothing moved");
    card.remove();
    await made({}, { user: { is_admin: false } });
    expect(text(card)).toContain("Only administrators");
    expect(asked).toEqual([]);
  });

  it("asks no more once it is gone", async () => {
    card.remove();
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(before);
  });

  it("refuses what it does not know", () => {
    expect(() => card.setConfig({ type: "x", period: "2h" as "1h" })).toThrow("period");
    expect(() => card.setConfig({ type: "x", end: "moon" as "peer" })).toThrow("end");
  });
});

describe("colours", () => {
  it("stay with their names, and are free again when these are gone", () => {
    const colours = new Colours();
    const first = colours.of(["a", "b"]);
    expect(colours.of(["b", "c", "a"]).get("b")).toBe(first.get("b"));
    const names = COLOURS.map((_, index) => `n${index}`);
    expect(new Set(colours.of(names).values()).size).toBe(COLOURS.length);
    expect(colours.of([...names, "more"]).get("more")).toBeDefined();
  });
});
