import { describe, expect, it } from "vitest";
import { event } from "../../test/events.js";
import type { Event } from "../messages.js";
import { byDay, choices, EVERYTHING, filtered, keyOf, MOST, Timeline, whoOf } from "./timeline.js";

const seqs = (events: readonly Event[]) => events.map(({ seq }) => seq);

describe("timeline", () => {
  it("has the newest first, each once, whatever the order they come in", () => {
    const timeline = new Timeline();
    timeline.receive([event(2), event(3)], false);
    timeline.receive([event(1), event(3, { summary: "again", count: 2 })], false);
    expect(seqs(timeline.events)).toEqual([3, 2, 1]);
    expect(timeline.events[0]!.summary).toBe("again");
  });

  it("keeps two gateways' events of one number apart", () => {
    const timeline = new Timeline();
    timeline.receive([event(1), event(1, { entry_id: "other" })], false);
    expect(new Set(timeline.events.map(keyOf)).size).toBe(2);
  });

  it("lets new ones wait while somebody reads, and shows them when asked to", () => {
    const timeline = new Timeline();
    timeline.receive([event(5)], false);
    timeline.receive([event(6)], true);
    timeline.receive([event(6, { count: 2 }), event(7)], false);
    expect(seqs(timeline.events)).toEqual([7, 5]);
    expect(timeline.waiting.map(({ seq, count }) => [seq, count])).toEqual([[6, 2]]);
    timeline.release();
    expect(seqs(timeline.events)).toEqual([7, 6, 5]);
    expect(timeline.waiting).toEqual([]);
  });

  it("shows older ones at once, also while somebody reads", () => {
    const timeline = new Timeline();
    timeline.receive([event(5)], false);
    timeline.receive([event(4), event(5, { count: 9 })], true);
    expect(seqs(timeline.events)).toEqual([5, 4]);
    expect(timeline.events[0]!.count).toBe(9);
  });

  it("is bounded", () => {
    const timeline = new Timeline();
    timeline.receive(Array.from({ length: MOST + 50 }, (_, index) => event(index)), false);
    expect(timeline.events).toHaveLength(MOST);
    expect(timeline.events[0]!.seq).toBe(MOST + 49);
  });
});

describe("filter", () => {
  const events = [
    event(4, { severity: "critical", kind: "flood" }),
    event(3, { severity: "low", kind: "flood", mac: "00:00:5e:00:53:22", device_name: "TV" }),
    event(2, { severity: "info", kind: "new_device" }),
    event(1, { severity: "unheard of" as Event["severity"], mac: null, process: "/usr/bin/curl", device_name: null }),
  ];

  it("lets everything through at first", () => {
    expect(filtered(events, EVERYTHING)).toHaveLength(4);
  });

  it.each([
    [{ severity: "low" as const }, [4, 3]],
    [{ severity: "high" as const }, [4]],
    [{ kind: "flood" }, [4, 3]],
    [{ who: whoOf(events[1]!) }, [3]],
    [{ kind: "flood", who: whoOf(events[0]!), severity: "low" as const }, [4]],
    [{ who: whoOf(events[3]!) }, [1]],
    [{ kind: "beacon" }, []],
  ])("%j lets %j through", (filter, expected) => {
    expect(seqs(filtered(events, { ...EVERYTHING, ...filter }))).toEqual(expected);
  });

  it("offers each device once, by name", () => {
    const names = choices(events, whoOf, ({ device_name: name, process }) => name ?? process ?? "", (one, other) =>
      one < other ? -1 : 1,
    );
    expect(names.map(({ name }) => name)).toEqual(["/usr/bin/curl", "Camera", "TV"]);
  });

  it("tells a program from a device of the same name on another gateway", () => {
    expect(whoOf(event(1))).not.toBe(whoOf(event(1, { entry_id: "other" })));
  });
});

it("days come in the order of their events", () => {
  const days = byDay([event(30), event(20), event(19), event(1)], (time) => String(Math.floor((time % 1000) / 10)));
  expect(days.map(({ day, events }) => [day, events.length])).toEqual([["3", 1], ["2", 1], ["1", 1], ["0", 1]]);
});
