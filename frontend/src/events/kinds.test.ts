// @vitest-environment node
// The sensor's own table of kinds, and what the cards say of them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { en } from "../strings/en.js";
import { ja } from "../strings/ja.js";
import { BY_RULES, kindKeys, LEARNT, MEASURES, measureOf } from "./kinds.js";

// scripts/frontend runs the tests in a copy of frontend/ alone
const ROOT = process.env["HEARTHWALL_ROOT"] ?? join(__dirname, "..", "..", "..");
const FOLDER = join(ROOT, "bpf", "hearthwall_sensor");
const source = readFileSync(join(FOLDER, "kinds.py"), "utf8");
const alike = readFileSync(join(FOLDER, "commands", "alike.py"), "utf8");

/** Each kind with the Python that describes it. */
const kinds = new Map(
  [...source.matchAll(/^ {4}"(\w+)": Kind\((.*?)(?=^ {4}"\w+": Kind\(|^\}$)/gms)].map(([, kind, text]) => [kind!, text!]),
);
const literal = source.match(/EventKind = Literal\[(.*?)\]/s)![1]!;

describe("kinds", () => {
  it("are all found in the sensor's table", () => {
    expect([...kinds.keys()].sort()).toEqual([...literal.matchAll(/"(\w+)"/g)].map(([, kind]) => kind).sort());
    expect(kinds.size).toBeGreaterThan(20);
  });

  it.each([...kinds.keys()])("%s has a name, what it means and what to do, in both languages", (kind) => {
    const keys = kindKeys(kind);
    expect(keys.name).toBe(`kind.${kind}`);
    for (const key of Object.values(keys)) {
      expect(en[key]).toMatch(/\w/);
      expect(ja[key]).toMatch(/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u);
    }
    expect(en[keys.meaning]).toMatch(/\.$/);
    expect(ja[keys.meaning]).toMatch(/。$/);
  });

  it("has strings of no kind that there is not", () => {
    const named = Object.keys(en).filter((key) => /^kind\.\w+$/.test(key));
    expect(named.map((key) => key.slice(5)).sort()).toEqual([...kinds.keys(), "other"].sort());
  });

  it.each([...kinds])("%s is measured by what the sensor says", (kind, text) => {
    const said = [...text.matchAll(/Measure\("[^"]*"(?:, "([^"]*)")?(?:, unit="(\w+)")?/g)].map(([, subject, unit]) => ({
      subject: subject ?? "",
      unit: unit ?? "",
    }));
    const here = (MEASURES[kind] ?? []).map(({ subject = "", unit = "" }) => ({ subject, unit }));
    expect(here).toEqual(said);
  });

  it("knows which are told by rules, and which are learnt", () => {
    expect([...kinds].filter(([, text]) => text.includes("by_rules=True")).map(([kind]) => kind)).toEqual([...BY_RULES]);
    const learnt = alike.match(/_LEARNT: Final = frozenset\((.*?)^\)/ms)![1]!;
    expect([...learnt.matchAll(/"(\w+)"/g)].map(([, kind]) => kind).sort()).toEqual([...LEARNT].sort());
  });

  it("take an unknown kind, and a hostile one, for another one", () => {
    for (const kind of ["tomorrow", "__proto__", "constructor", "", "x".repeat(9999), "port_scan.meaning"]) {
      expect(kindKeys(kind).name).toBe("kind.other");
      expect(measureOf(kind, "")).toBeUndefined();
    }
  });
});
