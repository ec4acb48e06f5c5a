// Which devices are shown, and in which order.

import { describe, expect, it } from "vitest";
import { home, row } from "../../test/home.js";
import type { Row } from "../messages.js";
import type { LiveDevice } from "../store.js";
import { type Filter, matches, Order, type Sort, SORTS, sorted } from "./list.js";

const live = (one: Row): LiveDevice => ({ key: one.mac, entryId: "entry", row: one, samples: [] });

const rule = { id: 1, mode: "rate_limit", expires: null };
const tv = row("1", { name: "TV 10", download_today: 9, vendor: "Vendor", addresses: ["192.168.1.5"], last_seen: 1 });
const old = row("2", { name: "TV 9", online: false, upload_rate: 5, top_peer: "cdn.example", last_seen: 3 });
const camera = row("3", { name: "camera", quarantined: true, rule, download_today: 5, last_seen: 2 });
const plug = row("4", { name: "Plug", rule, device_id: null, upload_today: 7, last_seen: 4 });
const all = [tv, old, camera, plug];

const hass = home({
  devices: {
    "id-1": { id: "id-1", area_id: "living", labels: ["kids", "media"] },
    "id-3": { id: "id-3", area_id: "door", labels: [] },
  },
});

describe("the filter", () => {
  const everything: Filter = { search: "", shown: "all", areas: [], labels: [] };
  it.each<[string, Partial<Filter>, Row[]]>([
    ["nothing", {}, all],
    ["a name, in any case", { search: "tv" }, [tv, old]],
    ["several words, wherever they stand", { search: " TV  192.168 " }, [tv]],
    ["a vendor", { search: "vendor" }, [tv]],
    ["a peer", { search: "cdn." }, [old]],
    ["what nobody has", { search: "toaster" }, []],
    ["no pattern, but letters", { search: ".*" }, []],
    ["who is online", { shown: "online" }, [tv, camera, plug]],
    ["who may do less", { shown: "restricted" }, [camera, plug]],
    ["an area", { areas: ["living"] }, [tv]],
    ["one of two areas", { areas: ["living", "door"] }, [tv, camera]],
    ["a label", { labels: ["kids"] }, [tv]],
    ["all at once", { search: "tv", shown: "online", areas: ["living"], labels: ["media"] }, [tv]],
  ])("finds %s", (_, filter, found) => {
    expect(all.filter((each) => matches(hass, each, { ...everything, ...filter }))).toEqual(found);
  });
});

describe("the order", () => {
  it.each<[Sort, Row[]]>([
    ["name", [camera, plug, old, tv]],
    ["today", [tv, plug, camera, old]],
    ["now", [old, camera, plug, tv]],
    ["status", [camera, plug, tv, old]],
    ["last_seen", [plug, old, camera, tv]],
  ])("by %s", (sort, order) => {
    expect(sorted(hass, all.map(live), sort).map((device) => device.row.name)).toEqual(order.map(({ name }) => name));
  });

  it("is the same whatever the devices came in, for each sort", () => {
    const twins = ["b", "a", "c"].map((mac) => live(row(mac, { name: "Twin" })));
    for (const sort of SORTS) {
      expect(sorted(hass, twins, sort)).toEqual(sorted(hass, [...twins].reverse(), sort));
    }
  });

  it("stays for a while, longer under a finger, and not for a newcomer or another sort", () => {
    const order = new Order(5);
    const names = (rows: Row[], sort: Sort, now: number, held = false) =>
      order.of(hass, rows.map(live), sort, now, held).map(({ row: { mac } }) => mac);
    const busy = { ...old, upload_rate: 9 };
    const idle = { ...old, upload_rate: 0 };
    const other = { ...tv, upload_rate: 7 };
    expect(names([busy, other], "now", 0)).toEqual(["2", "1"]);
    expect(names([idle, other], "now", 1)).toEqual(["2", "1"]);
    expect(names([idle, other], "now", 60, true)).toEqual(["2", "1"]);
    expect(names([idle, other], "now", 61)).toEqual(["1", "2"]);
    expect(names([busy, other], "now", 62, true)).toEqual(["1", "2"]);
    expect(names([busy, other], "last_seen", 62, true)).toEqual(["2", "1"]);
    expect(names([busy, other, plug], "last_seen", 62, true)).toEqual(["4", "2", "1"]);
  });
});
