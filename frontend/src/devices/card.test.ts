// The devices card, as a person uses it.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { all, one, placed, settled, text } from "../../test/elements.js";
import { rule } from "../../test/gateway.js";
import { delta, type FakeHome, home, row, snapshot } from "../../test/home.js";
import type { HearthwallDevicesCard } from "./card.js";

const HOSTILE = `<img src=x onerror="alert(1)">\u202E${"x".repeat(500)}`;
const CAMERA = row("a", { name: "Camera", download_today: 5e6, top_peer: "cam.example" });
const TV = row("b", { name: "TV", download_today: 9e6, online: false });

let hass: FakeHome;
let card: HearthwallDevicesCard;

async function made(config: object = {}, fields = {}): Promise<void> {
  hass = home({
    devices: { "id-a": { id: "id-a", area_id: "door", labels: ["guarded"] }, "id-b": { id: "id-b", area_id: "living" } },
    areas: { door: { area_id: "door", name: "Door" }, living: { area_id: "living", name: "Living room" } },
    callWS: async <T>({ type }: { type: string }) => {
      if (type !== "config/label_registry/list") throw new Error("Not asked for here");
      return [{ label_id: "guarded", name: "Guarded" }] as T;
    },
    ...fields,
  });
  card = await placed<HearthwallDevicesCard>("hearthwall-devices-card", {});
  card.setConfig({ type: "custom:hearthwall-devices-card", ...config });
  card.hass = hass;
  await settled(card);
}

async function told(message: unknown): Promise<void> {
  hass.connection.say(message);
  await settled(card);
}

const names = () => all(card, "button.open").map((each) => each.textContent?.trim());
const switchOf = (name: string) => one(card, `[role=switch][aria-label$="${name}"]`);

async function click(element: HTMLElement): Promise<void> {
  element.click();
  await settled(card);
}

const confirmButton = () => one(card, "dialog[open] button[type=submit]");

async function submit(): Promise<void> {
  one(card, "dialog[open] form").dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
  await settled(card);
}

async function type(selector: string, value: string): Promise<void> {
  const field = one<HTMLInputElement>(card, selector);
  field.value = value;
  field.dispatchEvent(new Event(selector.startsWith("input") ? "input" : "change"));
  await settled(card);
}

beforeEach(() => made());
afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

describe("the devices card", () => {
  it("says what it waits for, and whether there is anything to wait for", async () => {
    expect(text(card)).toContain("Waiting for the sensor");
    document.body.replaceChildren();
    await made({}, { config: { components: [], time_zone: "UTC" } });
    expect(text(card)).toContain("not set up");
    await told(snapshot());
    expect(text(card)).toContain("No devices yet");
  });

  it("shows devices in order, and what they do now", async () => {
    await told(snapshot(CAMERA, TV));
    expect(names()).toEqual(["TV", "Camera"]);
    await told(delta([{ ...CAMERA, download_rate: 2_500_000 }]));
    expect(text(card)).toContain("2.5 MB/s");
    expect(text(card)).toContain("1 of 2 online");
  });

  it("names the gateways where there are several, and counts what both see once", async () => {
    await told(snapshot({ ...CAMERA, download_rate: 1000 }, TV));
    expect(text(card)).not.toContain("Gateway");
    const seen = { ...CAMERA, top_peer: null, online: false, download_rate: 900 };
    await told({ ...snapshot(seen), entry_id: "other", gateway: "Garden" });
    const beneath = all(card, ".who .secondary").map((each) => text(each));
    expect(beneath.filter((each) => each.startsWith("Garden · "))).toHaveLength(1);
    expect(beneath).toContain("Gateway · mostly cam.example");
    expect(text(one(card, ".summary"))).toContain("1 of 2 online");
    expect(text(one(card, ".summary"))).toContain("1 kB/s");
    card.setConfig({ type: "custom:hearthwall-devices-card", entry_id: "other" });
    await settled(card);
    expect(text(one(card, ".who .secondary"))).not.toContain("Garden");
  });

  it("draws 500 of 5,000 devices unless all are asked for, and of an update only what changed", async () => {
    const many = Array.from({ length: 5000 }, (_, number) =>
      row(String(number), { name: `Device ${number}`, download_today: 5000 - number }),
    );
    await told(snapshot(...many));
    expect(text(card)).toContain("5,000 of 5,000 online");
    const rows = all(card, "hearthwall-device-row");
    expect(rows).toHaveLength(500);
    const drawn = rows.map((each) => vi.spyOn(each as never, "render"));
    await told(delta([many[3]!, many[4999]!].map((each) => ({ ...each, upload_rate: 5 }))));
    expect(drawn.flatMap(({ mock }, index) => (mock.calls.length ? [index] : []))).toEqual([3]);
    await type("input[type=search]", "device 4999");
    expect(names()).toEqual(["Device 4999"]);
    expect(all(card, ".more")).toEqual([]);
    await type("input[type=search]", "device 1");
    expect(all(card, "hearthwall-device-row")).toHaveLength(500);
    expect(text(one(card, ".more"))).toBe("Show all 2,084 devices");
  }, 30_000);

  it("shows all devices to who asks for them", async () => {
    await told(snapshot(...Array.from({ length: 501 }, (_, number) => row(String(number)))));
    await click(one(card, ".more"));
    expect(all(card, "hearthwall-device-row")).toHaveLength(501);
    expect(all(card, ".more")).toEqual([]);
  }, 30_000);

  it("keeps each row's element, and draws only those that changed", async () => {
    await told(snapshot(CAMERA, TV));
    const rows = all(card, "hearthwall-device-row");
    const drawn = vi.spyOn(rows[0] as never, "render");
    const drawnOther = vi.spyOn(rows[1] as never, "render");
    await told(delta([{ ...CAMERA, upload_rate: 5 }]));
    expect(all(card, "hearthwall-device-row")).toEqual(rows);
    expect(drawn.mock.calls.length).toBe(0);
    expect(drawnOther.mock.calls.length).toBeGreaterThan(0);
  });

  it("takes names for text, however long and whatever they look like", async () => {
    await told(snapshot(row("a", { name: HOSTILE, vendor: HOSTILE, top_peer: HOSTILE, addresses: [HOSTILE] })));
    expect(all(card, "img")).toEqual([]);
    expect(names()).toEqual([HOSTILE]);
    await click(one(card, "[role=switch]"));
    expect(all(card, "img")).toEqual([]);
    expect(one(card, "dialog[open] h2").textContent).toContain(HOSTILE);
  });

  it("has search and filters where there are more than a few devices, with their names", async () => {
    const many = ["c", "d", "e"].map((mac) => row(mac));
    await told(snapshot(CAMERA, TV, ...many.slice(1)));
    expect(all(card, "[role=search]")).toEqual([]);
    await told(snapshot(CAMERA, TV, ...many));
    expect(all(card, ".field > span").map((each) => text(each))).toEqual(["Search", "Show", "Sort by", "Area", "Label"]);
  });

  it("finds, filters and lets go again", async () => {
    document.body.replaceChildren();
    await made({ toolbar: true });
    await told(snapshot(CAMERA, TV));
    await type("input[type=search]", "cam.");
    expect(names()).toEqual(["Camera"]);
    await type("input[type=search]", "toaster");
    expect(text(card)).toContain("No device matches");
    await click(one(card, ".message button"));
    expect(names()).toEqual(["TV", "Camera"]);
    await type('select[aria-label="Show"]', "online");
    expect(names()).toEqual(["Camera"]);
    await type('select[aria-label="Show"]', "all");
    await type('select[aria-label="Sort by"]', "name");
    expect(names()).toEqual(["Camera", "TV"]);
    await type('select[aria-label="Area"]', "living");
    expect(names()).toEqual(["TV"]);
    await type('select[aria-label="Area"]', "");
    await type('select[aria-label="Label"]', "guarded");
    expect(names()).toEqual(["Camera"]);
  });

  it("leads where its settings say", async () => {
    document.body.replaceChildren();
    await made({ navigation_path: "/home/device-{device_id}" });
    await told(snapshot(CAMERA));
    await click(one(card, "button.open"));
    expect(location.pathname).toBe("/home/device-id-a");
    expect(all(card, "dialog[open]")).toEqual([]);
  });

  it("is about what its settings say", async () => {
    document.body.replaceChildren();
    await made({ area: ["door"], toolbar: false, title: "At the door" });
    await told(snapshot(CAMERA, TV));
    expect(names()).toEqual(["Camera"]);
    expect(all(card, "[role=search]")).toEqual([]);
    expect(one(card, "h2.card-title").textContent).toBe("At the door");
  });

  it("refuses settings that it cannot mean", () => {
    const wrong: [string, unknown][] = [
      ["configuration", null],
      ["area", { area: 5 }],
      ["label", { label: ["a", {}] }],
      ["sort", { sort: "colour" }],
      ["toolbar", { toolbar: "no" }],
      ["title", { title: ["x"] }],
    ];
    for (const [said, config] of wrong) expect(() => card.setConfig(config as never)).toThrow(said);
    expect(() => card.setConfig({ type: "x", area: null, title: "" } as never)).not.toThrow();
  });

  it("shows a dash for a figure that cannot be, and draws on", async () => {
    await told(snapshot({ ...CAMERA, download_rate: NaN, upload_rate: 1e300, last_seen: NaN, online: false, top_peer: null }, TV));
    expect(names()).toHaveLength(2);
    expect(text(card)).toContain("seen –");
    const [camera] = all(card, "hearthwall-device-row").filter((each) => text(each).includes("Camera"));
    expect(text(one(camera!, ".rates"))).toBe("– ↓ – ↑");
    expect(all(card, "path").map((each) => each.getAttribute("d")).join()).not.toMatch(/NaN|Infinity/);
  });

  it("asks before it quarantines, tells, and has a way back", async () => {
    await told(snapshot(CAMERA, TV));
    await click(switchOf("Camera"));
    expect(hass.called).toEqual([]);
    const choice = one<HTMLInputElement>(card, 'dialog[open] input[value="3600"]');
    choice.dispatchEvent(new Event("change"));
    await settled(card);
    await submit();
    expect(hass.called).toEqual([["hearthwall", "quarantine", { duration: { seconds: 3600 } }, { device_id: ["id-a"] }]]);
    expect(all(card, "dialog[open]")).toEqual([]);
    expect(text(one(card, "hearthwall-notice"))).toContain("Camera is quarantined. Undo");
    await click(one(one(card, "hearthwall-notice"), "button"));
    expect(hass.gateway.rules).toEqual([]);
    expect(text(one(card, "hearthwall-notice"))).toContain("Undone");
  });

  it("does nothing when it is not confirmed", async () => {
    await told(snapshot(CAMERA));
    await click(switchOf("Camera"));
    await click(one(card, "dialog[open] button[type=button]"));
    await click(switchOf("Camera"));
    one<HTMLDialogElement>(card, "dialog[open]").close();
    await settled(card);
    expect([hass.called, all(card, "dialog[open]")]).toEqual([[], []]);
  });

  it("says in the question what went wrong, and takes another try", async () => {
    await told(snapshot(CAMERA));
    hass.failure = { message: "This device is protected" };
    await click(switchOf("Camera"));
    await submit();
    expect(one(card, "dialog[open] [role=alert]").textContent).toBe("This device is protected");
    hass.failure = undefined;
    expect((confirmButton() as HTMLButtonElement).disabled).toBe(false);
    await submit();
    expect(hass.called).toHaveLength(1);
  });

  it("counts down, and says when somebody else changed something", async () => {
    vi.useFakeTimers({ now: 1_000_000_000 });
    await told(snapshot(CAMERA, TV));
    const rule = { id: 1, mode: "isolate", expires: 1_000_000 + 65 };
    await told(delta([{ ...CAMERA, quarantined: true, rule }]));
    expect(switchOf("Camera").getAttribute("aria-checked")).toBe("true");
    expect(one(card, "[role=timer]").textContent).toBe("2 min left");
    expect(one(card, "hearthwall-notice").shadowRoot?.querySelector(".unseen")?.textContent).toBe("Camera is quarantined.");
    await vi.advanceTimersByTimeAsync(5000);
    await settled(card);
    expect(one(card, "[role=timer]").textContent).toBe("1 min left");
    await told(delta([CAMERA]));
    expect(all(card, "[role=timer]")).toEqual([]);
    expect(one(card, "hearthwall-notice").shadowRoot?.querySelector(".unseen")?.textContent).toBe("Camera is released.");
  });

  it("releases from quarantine, and ends no other rule", async () => {
    const part = rule("a", { mode: "no_internet", transport: "tcp", port: 443 });
    hass.gateway.rules = [rule("a"), part];
    await told(snapshot({ ...CAMERA, quarantined: true, quarantine_entity: "switch.camera" }));
    await click(switchOf("Camera"));
    await submit();
    expect(hass.gateway.rules).toEqual([part]);
    expect(text(one(card, "hearthwall-notice"))).toContain("Camera is released. Undo");
  });

  it("says which rule a quarantine takes the place of, and offers nothing shorter", async () => {
    const choices = () => all(card, "dialog[open] label").map((each) => each.textContent?.trim());
    hass.gateway.rules = [rule("a", { mode: "no_internet" })];
    await told(snapshot(CAMERA, TV));
    await click(switchOf("Camera"));
    expect(text(one(card, "dialog[open]"))).toContain("a rule that is in force: No internet (until released). Undo brings");
    expect(choices()).toEqual(["Until released"]);
    await submit();
    await click(one(one(card, "hearthwall-notice"), "button"));
    expect(hass.gateway.rules).toMatchObject([{ mode: "no_internet", expires: null }]);
    const response = { mode: "isolate", reason: "port_scan: it scans", expires: Date.now() / 1000 + 2 * 3600 };
    hass.gateway.rules = [rule("b", response)];
    await click(switchOf("TV"));
    expect(text(one(card, "dialog[open]"))).toContain("the sensor ordered by itself: Quarantined (until ");
    expect(choices()).toEqual(["Until released", "For 8 hours", "For 1 day"]);
  });

  it("says so where a device is cut off already, and orders nothing", async () => {
    hass.gateway.rules = [rule("a")];
    await told(snapshot(CAMERA));
    await click(switchOf("Camera"));
    expect(all(card, "dialog[open]")).toEqual([]);
    expect(text(one(card, "hearthwall-notice"))).toBe("Camera is cut off already.");
    expect(hass.called).toEqual([]);
  });

  it("asks nothing where the rules cannot be read", async () => {
    await told(snapshot(CAMERA));
    hass.callService = async () => {
      throw { message: "The sensor is not running" };
    };
    await click(switchOf("Camera"));
    expect(all(card, "dialog[open]")).toEqual([]);
    expect(text(one(card, "hearthwall-notice"))).toBe("The sensor is not running");
  });

  it("says that figures are old, and orders nothing then", async () => {
    await told(snapshot(CAMERA));
    await told({ type: "lost", entry_id: "entry" });
    expect(text(card)).toMatch(/Not connected to the sensor: figures of \d\d:\d\d/);
    expect((switchOf("Camera") as HTMLButtonElement).disabled).toBe(true);
    expect(names()).toEqual(["Camera"]);
    hass.connection.cut();
    await settled(card);
    expect(text(card)).toContain("No connection to Home Assistant");
    hass.connection.restore();
    await settled(card);
    await told(snapshot(CAMERA));
    expect(all(card, ".notice")).toEqual([]);
    expect((switchOf("Camera") as HTMLButtonElement).disabled).toBe(false);
  });

  it("opens a device, but none that Home Assistant does not know", async () => {
    await told(snapshot(CAMERA, row("c", { name: "Stranger", device_id: null })));
    const [camera, stranger] = all(card, "button.open") as HTMLButtonElement[];
    expect(stranger?.disabled).toBe(true);
    await click(camera as HTMLElement);
    expect(one<HTMLElement & { deviceId: string }>(card, "hearthwall-device-view").deviceId).toBe("id-a");
  });

  it("keeps the focus through live updates", async () => {
    await told(snapshot(CAMERA, TV));
    const button = switchOf("Camera");
    button.focus();
    for (let rate = 1; rate < 5; rate++) await told(delta([{ ...CAMERA, download_rate: rate, download_today: 1e9 }]));
    expect(switchOf("Camera")).toBe(button);
    expect((button.getRootNode() as ShadowRoot).activeElement).toBe(button);
  });
});
