import { describe, expect, it } from "vitest";
import type { HomeAssistant, RegistryDevice, RegistryEntity } from "../hass.js";
import { dashboardOf, HearthwallDashboardStrategy, HearthwallViewStrategy } from "./dashboard.js";
import { viewOf } from "./views.js";

const mac = (number: number) => `02:00:00:00:${String(Math.floor(number / 100)).padStart(2, "0")}:${String(number % 100).padStart(2, "0")}`;

interface Given {
  gateways?: number;
  devices?: number;
  name?: (number: number) => string;
  language?: string;
}

function home({ gateways = 1, devices = 3, name = (n) => `Device ${n}`, language = "en" }: Given = {}): HomeAssistant {
  const registered: RegistryDevice[] = [];
  const entities: RegistryEntity[] = [];
  const entity = (domain: string, key: string, device: string) =>
    entities.push({
      entity_id: `${domain}.${device}_${key}`,
      device_id: device,
      platform: "hearthwall",
      translation_key: key,
    });
  for (let number = 0; number < gateways; number++) {
    const id = `gateway${number}`;
    registered.push({ id, area_id: null, name: `Gateway ${number}`, identifiers: [["hearthwall", `entry${number}`]] });
    entity("binary_sensor", "connection", id);
    entity("sensor", "devices_online", id);
    entity("sensor", "download_rate", id);
    entity("sensor", "feed_hits", id);
  }
  for (let number = 0; number < devices; number++) {
    const id = `device${number}`;
    const identifiers: [string, string][] = [["hearthwall", `entry${number % gateways}_${mac(number)}`]];
    registered.push({ id, area_id: number % 3 ? `area${number % 3}` : null, name: name(number), identifiers });
    entity("device_tracker", "presence", id);
    entity("switch", "quarantine", id);
    entity("sensor", "last_seen", id);
  }
  registered.push({ id: "stranger", area_id: "area1", name: "Lamp", identifiers: [["hue", "1"]] });
  return {
    devices: Object.fromEntries(registered.map((each) => [each.id, each])),
    entities: Object.fromEntries(entities.map((each) => [each.entity_id, each])),
    areas: {
      area1: { area_id: "area1", name: "Living room" },
      area2: { area_id: "area2", name: "Attic" },
      area3: { area_id: "area3", name: "Empty" },
    },
    locale: { language, number_format: "language", time_format: "language" },
  } as unknown as HomeAssistant;
}

describe("dashboard", () => {
  it("has a tab for each subject, and a subview for each device", () => {
    const { title, views } = dashboardOf(home());
    expect(title).toBe("Hearthwall");
    expect(views.filter((view) => !view.subview).map(({ path, title: name }) => [path, name])).toEqual([
      ["overview", "Overview"],
      ["map", "Map"],
      ["events", "Events"],
      ["devices", "Devices"],
      ["health", "Gateway"],
    ]);
    expect(views.filter((view) => view.subview).map(({ path }) => path)).toEqual([
      "device-device0",
      "device-device1",
      "device-device2",
    ]);
    expect(JSON.stringify(views)).not.toContain("stranger");
  });

  it("makes each view that it names", async () => {
    const hass = home();
    for (const { strategy } of dashboardOf(hass).views) {
      const view = await HearthwallViewStrategy.generate(strategy as { type: string }, hass);
      expect(view.sections ?? view.cards).not.toHaveLength(0);
    }
  });

  it.each([
    ["docked", 1344],
    ["auto", 1144],
    ["always_hidden", 1088],
  ] as const)("shows events once, and as wide as there is room, with the sidebar %s", (dockedSidebar, width) => {
    const { sections } = viewOf({ type: "custom:hearthwall" }, { ...home(), dockedSidebar });
    const events = (sections as { column_span: number; visibility?: unknown; cards: Record<string, unknown>[] }[]).slice(1);
    expect(events.map(({ column_span: span, visibility }) => [span, visibility])).toEqual([
      [1, [{ condition: "screen", media_query: `(min-width: ${width}px)` }]],
      [2, [{ condition: "screen", media_query: `not all and (min-width: ${width}px)` }]],
    ]);
    const cards = events.flatMap((section) => section.cards);
    expect(cards.map(({ visibility }) => visibility)).toEqual(events.map(({ visibility }) => visibility));
    expect({ ...cards[0], visibility: null }).toEqual({ ...cards[1], visibility: null });
  });

  it("says how to set a gateway up where there is none", () => {
    const hass = home({ gateways: 0, devices: 0 });
    const { views } = dashboardOf(hass);
    expect(views).toHaveLength(1);
    expect(JSON.stringify(views)).toContain("/config/integrations/dashboard/add?domain=hearthwall");
    expect(viewOf({ type: "custom:hearthwall", view: "map" }, hass)).toEqual(viewOf({ type: "custom:hearthwall" }, hass));
  });

  it("has the gateway, its rules and no figure twice for each of several gateways", () => {
    const view = viewOf({ type: "custom:hearthwall", view: "health" }, home({ gateways: 2 }));
    const sections = view["sections"] as { cards: { entry_id?: string; type: string; entity?: string; title?: string }[] }[];
    const cards = sections.flatMap((section) => section.cards);
    expect(cards.filter(({ type }) => type.startsWith("custom:")).map(({ type, entry_id: id }) => [type, id])).toEqual([
      ["custom:hearthwall-gateway-card", "entry0"],
      ["custom:hearthwall-rules-card", "entry0"],
      ["custom:hearthwall-gateway-card", "entry1"],
      ["custom:hearthwall-rules-card", "entry1"],
    ]);
    expect(cards.filter(({ type }) => type === "history-graph")).toHaveLength(2);
    // What the cards show has no tile
    expect(cards.filter(({ type }) => type === "tile")).toEqual([]);
    expect(cards[1]!.title).toBe("Gateway 0: Rules in force");
  });

  it("shows devices by area, those without one last, and no empty area", () => {
    const view = viewOf({ type: "custom:hearthwall", view: "devices" }, home({ devices: 6 }));
    const cards = (view["sections"] as { cards: Record<string, unknown>[] }[]).flatMap((section) => section.cards);
    expect(cards.map(({ title, area }) => [title, area])).toEqual([
      ["Attic", ["area2"]],
      ["Living room", ["area1"]],
      ["Without an area", [""]],
    ]);
    const paths = new Set(dashboardOf(home({ devices: 6 })).views.map(({ path }) => path));
    for (const { navigation_path: path } of cards) expect(paths).toContain((path as string).replace("{device_id}", "device4"));
  });

  it("says so where a device is gone", () => {
    const view = viewOf({ type: "custom:hearthwall", view: "device", device_id: "gone" }, home());
    expect(JSON.stringify(view)).toContain("not in Home Assistant any more");
  });

  it("refuses a view that there is not", () => {
    for (const view of ["nowhere", "__proto__", "toString"]) {
      expect(() => viewOf({ type: "custom:hearthwall", view }, home())).toThrow("view is none of");
    }
  });

  it("leaves out what is disabled or hidden", () => {
    const hass = home();
    Object.assign(hass.devices["device0"]!, { disabled_by: "user" });
    Object.assign(hass.entities["sensor.device1_last_seen"]!, { hidden: true });
    const { views } = dashboardOf(hass);
    expect(views.map(({ path }) => path)).not.toContain("device-device0");
    const shown = (id: string) => JSON.stringify(viewOf({ type: "custom:hearthwall", view: "device", device_id: id }, hass));
    expect(shown("device1")).not.toContain("device1_last_seen");
    expect(shown("device2")).toContain("device2_last_seen");
  });

  it("carries 250 devices with names of any length, quickly", () => {
    const hass = home({ devices: 250, name: (number) => `${"<b>x</b>".repeat(500)}${number}` });
    const began = performance.now();
    const { views } = dashboardOf(hass);
    viewOf({ type: "custom:hearthwall", view: "devices" }, hass);
    expect(performance.now() - began).toBeLessThan(500);
    expect(views).toHaveLength(255);
    expect(new Set(views.map(({ path }) => path)).size).toBe(255);
    expect(Math.max(...views.map(({ title }) => title!.length))).toBeLessThanOrEqual(61);
  });

  it("speaks the user's language", () => {
    expect(dashboardOf(home({ language: "ja" })).views[0]!.title).toBe("概要");
    expect(HearthwallDashboardStrategy.getCreateSuggestions(home()).icon).toBe("mdi:shield-home");
  });
});
