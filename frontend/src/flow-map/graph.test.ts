import { describe, expect, it } from "vitest";
import type { Usage, UsageRow } from "../messages.js";
import { graphOf, isolated, isOthers } from "./graph.js";
import { heightOf, layoutOf, LINE, mostNodes } from "./layout.js";

const DIMENSIONS = ["mac", "application", "country"] as const;

const row = (mac: string | null, application: string | null, country: string | null, bytes: number): UsageRow => ({
  mac,
  application,
  country,
  name: mac === null ? null : `Device ${mac}`,
  device_id: mac === null ? null : `id-${mac}`,
  upload_bytes: bytes / 4,
  download_bytes: (bytes * 3) / 4,
  flows: 1,
});

function usage(rows: UsageRow[], more = 0): Usage {
  const sum = (key: "upload_bytes" | "download_bytes" | "flows") => rows.reduce((total, each) => total + each[key], 0);
  return {
    rows,
    upload_bytes: sum("upload_bytes") + more,
    download_bytes: sum("download_bytes"),
    flows: sum("flows") + (more ? 1 : 0),
  };
}

/** A home of many devices, each with its own applications, by a fixed sequence of numbers. */
function large(devices: number, applications: number, countries: number): Usage {
  let state = 1;
  const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const rows: UsageRow[] = [];
  for (let device = 0; device < devices; device++) {
    for (let times = 0; times < 3; times++) {
      const application = `app${Math.floor(next() * applications)}`;
      rows.push(row(`m${device}`, application, `c${Math.floor(next() * countries)}`, 10 ** (next() * 8)));
    }
  }
  return usage(rows);
}

describe("graph", () => {
  it("keeps every byte, in every column", () => {
    const graph = graphOf(large(250, 60, 40), DIMENSIONS, 7);
    for (const column of graph.columns) {
      expect(column.length).toBeLessThanOrEqual(7);
      expect(column.reduce((sum, node) => sum + node.bytes, 0)).toBeCloseTo(graph.bytes, 0);
    }
    expect(graph.streams.reduce((sum, stream) => sum + stream.bytes, 0)).toBeCloseTo(graph.bytes, 0);
  });

  it("joins the small ones into one node that comes last, and says how many they are", () => {
    const rows = [1, 2, 3, 4, 5].map((each) => row(`m${each}`, "tls", "DE", each * 100));
    const [devices] = graphOf(usage(rows), DIMENSIONS, 3).columns;
    expect(devices!.map(({ label, joined }) => [label, joined])).toEqual([
      ["Device m5", 1],
      ["Device m4", 1],
      [null, 3],
    ]);
    expect(isOthers(devices![2]!)).toBe(true);
  });

  it("joins nothing where all have room", () => {
    const rows = [1, 2, 3].map((each) => row(`m${each}`, "tls", "DE", each * 100));
    expect(graphOf(usage(rows), DIMENSIONS, 3).columns[0]!.some(isOthers)).toBe(false);
  });

  it("shows what the limit cut off as others", () => {
    const graph = graphOf(usage([row("m1", "tls", "DE", 100)], 300), DIMENSIONS, 5);
    expect(graph.bytes).toBe(400);
    for (const column of graph.columns) {
      expect(column.map((node) => [isOthers(node), node.bytes])).toEqual([
        [false, 100],
        [true, 300],
      ]);
      expect(column[1]!.joined).toBeNull();
    }
  });

  it("keeps what nobody knows apart from the others", () => {
    const graph = graphOf(usage([row("m1", null, "DE", 100), row("m1", "tls", "DE", 50)]), DIMENSIONS, 5);
    expect(graph.columns[1]!.map(({ label, bytes }) => [label, bytes])).toEqual([
      [null, 100],
      ["tls", 50],
    ]);
    expect(graph.columns[1]!.some(isOthers)).toBe(false);
  });

  it("takes no name of the network for a node of its own making", () => {
    const rows = ["others", "unknown", "1:others", "=x:others", "__proto__", "a|b"].map((name, index) =>
      row("m1", name, "DE", 1000 - index),
    );
    const graph = graphOf(usage(rows), DIMENSIONS, 9);
    expect(graph.columns[1]!.map(({ label }) => label)).toEqual(rows.map(({ application }) => application));
    expect(graph.columns[1]!.some(isOthers)).toBe(false);
    expect(graph.streams).toHaveLength(6);
  });

  it("does not swap a node that is shown for one that is hardly larger", () => {
    const before = graphOf(usage([row("m1", "tls", "DE", 900), row("m2", "tls", "DE", 500), row("m3", "tls", "DE", 400)]), DIMENSIONS, 2);
    const ids = new Set(before.columns.flat().map(({ id }) => id));
    const now = usage([row("m1", "tls", "DE", 900), row("m2", "tls", "DE", 910), row("m3", "tls", "DE", 400)]);
    expect(graphOf(now, DIMENSIONS, 2, ids).columns[0]![0]!.label).toBe("Device m1");
    expect(graphOf(now, DIMENSIONS, 2).columns[0]![0]!.label).toBe("Device m2");
  });

  it("is empty where nothing moved", () => {
    const graph = graphOf(usage([row("m1", "tls", "DE", 0)]), DIMENSIONS, 5);
    expect(graph.bytes).toBe(0);
    expect(layoutOf(graph, 400).nodes).toEqual([]);
  });
});

describe("isolation", () => {
  const graph = graphOf(
    usage([row("m1", "tls", "DE", 100), row("m2", "tls", "US", 100), row("m2", "dns", "DE", 10)]),
    DIMENSIONS,
    5,
  );

  it("has all streams of a node, and every node that they go through", () => {
    const ids = isolated(graph, "0:=m1")!;
    expect([...ids].sort()).toEqual(["0:=m1", "1:=tls", "2:=DE", '["0:=m1","1:=tls","2:=DE"]']);
  });

  it("has only what comes from the node, not what else goes the same way", () => {
    expect(isolated(graph, "2:=US")!.has("0:=m1")).toBe(false);
    expect(isolated(graph, "1:=tls")!.has('["0:=m2","1:=dns","2:=DE"]')).toBe(false);
  });

  it("of one stream has its nodes alone", () => {
    const id = '["0:=m2","1:=dns","2:=DE"]';
    expect([...isolated(graph, id)!].sort()).toEqual(["0:=m2", "1:=dns", "2:=DE", id]);
  });

  it("is none without a node, and for one that is gone", () => {
    expect(isolated(graph, null)).toBeNull();
    expect(isolated(graph, "0:=gone")).toBeNull();
  });
});

describe("layout", () => {
  for (const width of [300, 360, 720, 1900]) {
    const graph = graphOf(large(250, 60, 40), DIMENSIONS, mostNodes(width));
    const { nodes, height, streams } = layoutOf(graph, width);

    it(`has no two labels on each other, ${width} wide`, () => {
      for (const one of nodes) {
        for (const other of nodes) {
          if (one !== other && one.node.column === other.node.column) {
            expect(Math.abs(one.label.y - other.label.y)).toBeGreaterThanOrEqual(LINE - 0.2);
          }
        }
      }
      // Two columns share the last gap: together their labels are narrower than it
      const [middle, last] = [1, 2].map((column) => nodes.find(({ node }) => node.column === column)!);
      expect(middle!.label.x + middle!.label.width).toBeLessThan(last!.label.x - last!.label.width);
      const first = nodes.find(({ node }) => node.column === 0)!;
      expect(first.label.x + first.label.width).toBeLessThan(middle!.x);
    });

    it(`stays in its frame, ${width} wide`, () => {
      for (const { x, y, height: tall, label } of nodes) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThan(width);
        expect(y).toBeGreaterThanOrEqual(0);
        expect(y + tall).toBeLessThanOrEqual(height);
        expect(label.y - LINE / 2).toBeGreaterThanOrEqual(-0.1);
        expect(label.y + LINE / 2).toBeLessThanOrEqual(height + 0.1);
        expect(label.width).toBeGreaterThan(60);
      }
      expect(new Set(streams.map(({ id }) => id)).size).toBe(streams.length);
    });
  }

  it("grows with the nodes, not without end", () => {
    const heights = [1, 5, 250].map((devices) => heightOf(graphOf(large(devices, 60, 40), DIMENSIONS, 12), 1000));
    expect(heights[0]).toBeLessThan(heights[2]!);
    expect(heights[2]).toBeLessThanOrEqual(560);
  });
});
