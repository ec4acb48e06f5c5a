import { describe, expect, it } from "vitest";
import { event } from "../../test/events.js";
import type { HomeAssistant } from "../hass.js";
import type { Event } from "../messages.js";
import { evidenceOf } from "./evidence.js";
import { fitting, whoName } from "./orders.js";

const hass = {
  locale: { language: "en", number_format: "language", time_format: "language" },
  config: { components: [], time_zone: "UTC" },
} as unknown as HomeAssistant;

const of = (kind: string, evidence: Record<string, unknown>, subject = "") =>
  evidenceOf(hass, event(1, { kind, evidence, subject }));

describe("evidence", () => {
  it("says what was measured, against what, in which time", () => {
    const { measured, detector } = of("port_scan", { detector: "port_scan", value: 40, threshold: 15, window: 300 });
    expect(detector).toBe("port_scan");
    expect(measured).toEqual([
      ["Measured", "40 ports tried"],
      ["Threshold", "15"],
      ["Within", "5 minutes"],
    ]);
  });

  it("says a band in the unit of the value", () => {
    const { measured } = of("volume_anomaly", { value: 1200, threshold: [20, 80], window: 3600 }, "upload in a day");
    expect(measured.slice(0, 2)).toEqual([
      ["Measured", "1.2 GB sent"],
      ["Expected", "about 20 MB, at most 80 MB"],
    ]);
  });

  it("leaves out a value that says nothing by itself", () => {
    expect(of("rogue_dhcp", { value: "DHCP", threshold: 1, window: 0 }).measured).toEqual([]);
    expect(of("port_scan", { value: "many", threshold: "few" }).measured).toEqual([]);
  });

  it("shows flows with their peers, and connections of processes among them", () => {
    const { flows } = of("beacon", {
      flows: [{ peer_name: "c2.example", peer_port: 443, application: "tls", transport: "tcp", upload_bytes: 5 }],
      connections: [{ peer_address: "2001:db8::1", peer_port: 4444, transport: "tcp" }],
    });
    expect(flows).toEqual([
      { peer: "c2.example:443", what: "TLS, TCP", upload: 5, download: null },
      { peer: "[2001:db8::1]:4444", what: "TCP", upload: null, download: null },
    ]);
  });

  it("shows the processes behind it", () => {
    const { processes, files } = of("exec_and_connect", {
      chain: [{ executable: "/tmp/x", pid: 7, command_line: "/tmp/x -v" }],
      files: [{ path: "/tmp/x", call: "write", by: "/usr/bin/curl", pid: 6 }],
    });
    expect(processes).toEqual([{ program: "/tmp/x", pid: 7, commandLine: "/tmp/x -v" }]);
    expect(files).toEqual([{ path: "/tmp/x", by: "/usr/bin/curl" }]);
  });

  it("survives whatever a sensor may send", () => {
    const odd: unknown[] = [null, 7, "x", [], {}, [null, 1, "x", [], {}], Array(1000).fill({ peer_name: "y".repeat(9999) }), NaN];
    for (const value of odd) {
      const names = ["detector", "why", "value", "threshold", "window", "flows", "connections", "chain", "files"];
      const found = of("port_scan", Object.fromEntries(names.map((name) => [name, value])));
      expect(found.flows.length).toBeLessThanOrEqual(10);
      for (const { peer } of found.flows) expect(peer.length).toBeLessThanOrEqual(310);
    }
  });
});

describe("orders", () => {
  const answer = (more: Partial<Event>, culprit: string | null, peer: string | null, program: string | null = null) => ({
    event: event(1, more),
    culprit,
    program,
    blockable_peer: peer,
    has_ended: false,
  });

  it("are those whom the sensor blames, never the victim", () => {
    expect(fitting(answer({}, null, null))).toEqual({ accept: true, peer: null, culprit: null, program: null });
    expect(fitting(answer({}, "00:00:5e:00:53:99", "bad.example"))).toEqual({
      accept: true,
      peer: "bad.example",
      culprit: "00:00:5e:00:53:99",
      program: null,
    });
    expect(fitting(answer({}, null, null, "pid:7")).program).toBe("pid:7");
  });

  it("are none for what a rule told", () => {
    expect(fitting(answer({ kind: "blocked" }, "00:00:5e:00:53:21", "bad.example", "exe:/x"))).toEqual({
      accept: false,
      peer: null,
      culprit: null,
      program: null,
    });
  });

  it("have nothing to accept of nobody", () => {
    expect(fitting(answer({ mac: null, address: null }, null, null)).accept).toBe(false);
  });
});

it("names a device by its name, a program by its file, and a stranger by its address", () => {
  expect(whoName(event(1))).toBe("Camera");
  expect(whoName(event(1, { device_name: null }))).toBe("00:00:5e:00:53:21");
  const program = { mac: null, device_name: "Gateway", process: "/usr/bin/curl@3f2a" };
  expect(whoName(event(1, program))).toBe("curl");
  expect(whoName(event(1, { ...program, process: "/" }))).toBe("/");
  expect(whoName(event(1, { mac: null, device_name: "Gateway" }))).toBe("192.0.2.10");
  expect(whoName(event(1, { mac: null, address: null, device_name: null }))).toBe("Gateway");
});
