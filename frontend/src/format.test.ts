// Figures as the user's profile wants them.

import { describe, expect, it } from "vitest";
import { home } from "../test/home.js";
import {
  formatAgo,
  formatBytes,
  formatClock,
  formatCountry,
  formatLeft,
  formatPercent,
  formatRate,
  formatSpan,
  formatTime,
} from "./format.js";

const hass = (language: string, number_format = "language", time_format = "language", more = {}) =>
  home({ locale: { language, number_format, time_format, ...more }, config: { components: [], time_zone: "Asia/Tokyo" } });
const en = hass("en");

describe("figures", () => {
  it.each([
    [0, "0 kB"],
    [-5, "0 kB"],
    [532, "0.5 kB"],
    [999_499, "999 kB"],
    [999_600, "1 MB"],
    [12_345_678, "12.3 MB"],
    [234_567_890, "235 MB"],
    [2e15, "2 PB"],
    [5e18, "5,000 PB"],
    [1e300, "–"],
    [NaN, "–"],
    [-Infinity, "–"],
  ])("%d bytes are %s", (bytes, text) => expect(formatBytes(en, bytes)).toBe(text));

  it.each([
    ["de", "language", "1,5 MB/s"],
    ["en", "decimal_comma", "1,5 MB/s"],
    ["de", "comma_decimal", "1.5 MB/s"],
    ["ja", "language", "1.5 MB/秒"],
  ])("a rate in %s with %s is %s", (language, format, text) =>
    expect(formatRate(hass(language, format), 1_500_000).replace(/\s/g, " ")).toBe(text),
  );

  it("shares are of one", () => {
    expect([0.634, 0.004, 0].map((share) => formatPercent(en, share))).toEqual(["63%", "<1%", "0%"]);
    expect(formatPercent(hass("en", "decimal_comma"), 0.004)).toBe("<1%");
  });

  it("times follow the profile", () => {
    const noon = Date.UTC(2026, 0, 1, 12, 5) / 1000;
    const at = (format: string, zone: string) => formatTime(hass("en", "language", format, { time_zone: zone }), noon);
    expect(at("24", "server")).toBe("21:05");
    expect(at("12", "server").replace(/\s/g, " ")).toBe("9:05 PM");
  });

  it.each([
    [0, "now"],
    [59, "59 seconds ago"],
    [61, "1 minute ago"],
    [7300, "2 hours ago"],
    [200_000, "2 days ago"],
    [-30, "now"],
  ])("%d seconds back is %s", (past, text) => expect(formatAgo(en, 1_000_000 - past, 1_000_000)).toBe(text));

  it.each([
    [3544.2, "1 hr"],
    [3480, "58 min"],
    [3600, "1 hr"],
    [3661, "1 hr 2 min"],
    [61, "2 min"],
    [5, "5 sec"],
    [0, "0 sec"],
    [-3, "0 sec"],
    [90_061, "25 hr 2 min"],
    [200_000, "2 days"],
  ])("%d seconds left are %s, which no clock shows", (left, text) => expect(formatLeft(en, left)).toBe(text));

  it("what is left and when something was heard is in the user's words", () => {
    expect(formatLeft(hass("ja"), 840)).toBe("14 分");
    expect(formatClock(hass("en", "language", "24", { time_zone: "server" }), 3 * 3600 + 10)).toBe("12:00:10");
  });

  it("spans and countries are words", () => {
    expect([900, 3600, 86_400].map((span) => formatSpan(hass("ja"), span))).toEqual(["15 分", "1 時間", "1 日"]);
    expect(["DE", "??", "x<b>"].map((code) => formatCountry(en, code))).toEqual(["Germany", "??", "x<b>"]);
  });
});
