// The badge and the feature of tiles, and what Home Assistant's pickers are told.

import { afterEach, describe, expect, it } from "vitest";
import { all, one, placed, settled, text } from "../../test/elements.js";
import { type FakeHome, home, row, snapshot } from "../../test/home.js";
import { area } from "../sparkline.js";
import { announce, define, inWords } from "../register.js";
import type { HearthwallBadge } from "./badge.js";
import { isQuarantineSwitch, type HearthwallQuarantineFeature } from "./quarantine-feature.js";

afterEach(() => document.body.replaceChildren());

const entities = {
  "sensor.rules": { entity_id: "sensor.rules", platform: "hearthwall", translation_key: "active_blocks" },
  "switch.q": { entity_id: "switch.q", platform: "hearthwall", translation_key: "quarantine", device_id: "id-a" },
  "switch.foreign": { entity_id: "switch.foreign", platform: "plug", translation_key: "quarantine", device_id: "id-a" },
};
const state = (entity_id: string, value: string) => ({ [entity_id]: { entity_id, state: value, attributes: {} } });

async function told(hass: FakeHome, element: Element, ...rows: ReturnType<typeof row>[]): Promise<void> {
  hass.connection.say(snapshot(...rows));
  await settled(element);
}

describe("the badge", () => {
  it("counts devices and rules, and says when it cannot", async () => {
    const hass = home({ entities, states: state("sensor.rules", "3") });
    const badge = await placed<HearthwallBadge>("hearthwall-badge", { hass });
    badge.setConfig({ type: "custom:hearthwall-badge" });
    await told(hass, badge, row("a"), row("b", { online: false }));
    expect(text(badge)).toBe("Hearthwall 1/2 online · rules: 3");
    hass.connection.say({ type: "lost", entry_id: "entry" });
    await settled(badge);
    expect(text(badge)).toBe("Hearthwall Not connected");
  });

  it("counts a device that two gateways see once", async () => {
    const hass = home({ entities });
    const badge = await placed<HearthwallBadge>("hearthwall-badge", { hass });
    badge.setConfig({ type: "custom:hearthwall-badge" });
    hass.connection.say({ ...snapshot(row("a", { online: false }), row("b")), entry_id: "other", gateway: "Garden" });
    await told(hass, badge, row("a"), row("c", { online: false }));
    expect(text(badge)).toBe("Hearthwall 2/3 online");
    badge.setConfig({ type: "custom:hearthwall-badge", entry_id: "other" });
    await settled(badge);
    expect(text(badge)).toBe("Hearthwall 1/2 online");
  });

  it("counts the restricted devices where there is no sensor of rules", async () => {
    const hass = home({ entities, states: state("sensor.rules", "unavailable") });
    const badge = await placed<HearthwallBadge>("hearthwall-badge", { hass });
    badge.setConfig({ type: "custom:hearthwall-badge" });
    await told(hass, badge, row("a", { quarantined: true }));
    expect(text(badge)).toContain("rules: 1");
  });
});

describe("the feature of tiles", () => {
  it("is for our quarantine switches", () => {
    expect(Object.keys(entities).filter((id) => isQuarantineSwitch({ entities }, id))).toEqual(["switch.q"]);
    expect(isQuarantineSwitch({ entities }, undefined)).toBe(false);
  });

  it("asks, orders and shows what the kernel does", async () => {
    const hass = home({ entities });
    const feature = await placed<HearthwallQuarantineFeature>("hearthwall-quarantine-feature", {
      hass,
      context: { entity_id: "switch.q" },
    });
    feature.setConfig({ type: "custom:hearthwall-quarantine-feature" });
    await settled(feature);
    expect(one<HTMLButtonElement>(feature, "button").disabled).toBe(true);
    await told(hass, feature, row("a", { name: "Camera" }));
    one(feature, "button").click();
    await settled(feature);
    expect(hass.called).toEqual([]);
    one(feature, "dialog[open] form").dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
    await settled(feature);
    expect(hass.called).toEqual([["hearthwall", "quarantine", {}, { device_id: ["id-a"] }]]);
    const notice = one(feature, "hearthwall-notice");
    expect(notice.hidden).toBe(false);
    expect(text(one(notice, ".bar [role=status]"))).toBe("Camera is quarantined.");
    one(notice, "button").click();
    await settled(feature);
    expect(hass.gateway.rules).toEqual([]);
    expect(text(notice)).toContain("Undone");
    const rule = { id: 1, mode: "isolate", expires: Date.now() / 1000 + 3600 };
    await told(hass, feature, row("a", { name: "Camera", quarantined: true, rule }));
    expect(text(all(feature, "button")[0] as Element)).toMatch(/^Release 1 hr left$/);
  });
});

describe("telling Home Assistant's frontend", () => {
  it("defines nothing before it is ready, and nothing twice", async () => {
    const early = class extends HTMLElement {};
    const defined = define({ "test-early": early, "hearthwall-badge": class extends HTMLElement {} });
    expect(customElements.get("test-early")).toBeUndefined();
    customElements.define("home-assistant", class extends HTMLElement {});
    await defined;
    expect(customElements.get("test-early")).toBe(early);
  });

  it("speaks the language that the page has by now", () => {
    let language = "en";
    const entry = inWords(() => ({ type: "a", name: `name in ${language}`, description: `more in ${language}` }));
    language = "ja";
    expect({ ...entry }).toEqual({ type: "a", name: "name in ja", description: "more in ja" });
  });

  it("adds to a list what is not there", () => {
    const list = [{ type: "a", name: "other's" }];
    announce(list, [{ type: "a", name: "ours" }, { type: "b", name: "ours" }]);
    expect(list).toEqual([{ type: "a", name: "other's" }, { type: "b", name: "ours" }]);
  });
});

describe("the sparkline", () => {
  it("draws the last minute, and nothing where nothing moved", () => {
    expect(area([[0, 0], [30, 0]], 60, 100, 1)).toBe("");
    expect(area([], 60, 100, 1)).toBe("");
    expect(area([[-500, 100]], 60, 100, 1)).toBe("M0.0 14L0.0 1.0L100 1.0V14Z");
    // A rate held until the next was told, also before the minute began
    expect(area([[-9, 100], [30, 0]], 60, 100, -1)).toBe("M0.0 14L0.0 27.0L48.3 27.0L50.0 14.0L100 14.0V14Z");
  });
});
