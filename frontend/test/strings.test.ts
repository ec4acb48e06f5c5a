// @vitest-environment node
// Every sentence is there in each language, and none is there for nothing.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { localizer } from "../src/localize.js";
import { en } from "../src/strings/en.js";
import { ja } from "../src/strings/ja.js";

const SOURCE = join(__dirname, "..", "src");
const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.startsWith("strings"),
);
const code = files.map((name) => readFileSync(join(SOURCE, name), "utf8")).join("\n");
const KEY = /["'`]([a-z]+\.[a-z0-9_.]+)["'`]/g;
/** Beginnings of keys that are put together, such as `mode.${rule.mode}`. */
const BEGINNING = /`([a-z]+\.(?:[a-z0-9_]+[._])?)\$\{/g;
const used = new Set([...code.matchAll(KEY)].map(([, key]) => key));
const beginnings = [...code.matchAll(BEGINNING)].map(([, beginning]) => beginning ?? "");
const names = (sentence: string) => [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe("strings", () => {
  it("has the same keys in each language, in the same order", () => {
    expect(Object.keys(ja)).toEqual(Object.keys(en));
  });

  it.each(Object.keys(en) as (keyof typeof en)[])("%s takes the same values in each language and is no copy", (key) => {
    expect(names(ja[key])).toEqual(names(en[key]));
    expect(ja[key].trim()).not.toBe("");
    // A name of ours may stay, and what is all figures; a sentence may not
    if (/[a-z] [a-z]/.test(en[key].replace(/\{\w+\}/g, "")))
      expect(ja[key]).not.toBe(en[key]);
  });

  it("has no key that nothing uses", () => {
    expect(Object.keys(en).filter((key) => !used.has(key) && !beginnings.some((one) => key.startsWith(one)))).toEqual([]);
  });

  it("uses no key that there is not", () => {
    const sections = new Set(Object.keys(en).map((key) => key.split(".")[0]));
    const meant = [...used].filter((key) => key && sections.has(key.split(".")[0]));
    expect(meant.filter((key) => !(key! in en))).toEqual([]);
  });

  it("speaks the user's language, and English where there is none", () => {
    const say = (language: string) =>
      localizer({ locale: { language, number_format: "language", time_format: "language" } })("common.cancel");
    expect([say("ja"), say("ja-JP"), say("en-GB"), say("tlh")]).toEqual([ja["common.cancel"], ja["common.cancel"], en["common.cancel"], en["common.cancel"]]);
  });
});
