// Figures as the user reads them: by Intl, with the number and time format of the user's profile.

import type { HomeAssistant } from "./hass.js";

/** Languages that write numbers as the profile's number formats say. */
const NUMBER_LOCALES: Record<string, string | string[] | undefined> = {
  comma_decimal: ["en-US", "en"],
  decimal_comma: ["de", "es", "it"],
  space_comma: ["fr", "sv", "cs"],
  quote_decimal: ["de-CH"],
  system: undefined,
};

/** From kilobytes on: single bytes are noise, and Intl has no short word for them. */
const UNITS = ["kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;
const SECOND = 1000;
const SPANS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

export type Formats = Pick<HomeAssistant, "locale" | "config">;

const cache = new Map<string, unknown>();

/** Make a formatter once: constructing one costs more than all its uses in a second. */
function kept<T>(key: string, make: () => T): T {
  if (!cache.has(key)) cache.set(key, make());
  return cache.get(key) as T;
}

/** What stands for a figure that cannot be. */
const NONE = "–";
/** More bytes, or bytes a second, are a fault of whoever counted. */
const MOST_BYTES = 1e19;
/** The last moment that a date can be of, in seconds. */
const LAST_TIME = 8.64e12;

const isTime = (seconds: number): boolean => Math.abs(seconds) <= LAST_TIME;

export function formatNumber({ locale }: Formats, value: number, options: Intl.NumberFormatOptions): string {
  if (!Number.isFinite(value)) return NONE;
  const { language, number_format: style } = locale;
  const key = `${language} ${style} ${JSON.stringify(options)}`;
  const words = kept(`n ${key}`, () => new Intl.NumberFormat(language, { useGrouping: style !== "none", ...options }));
  if (!(style in NUMBER_LOCALES)) return words.format(value);
  // The unit's word is in the user's language, the digits are in the user's number format
  const digits = kept(`d ${key}`, () => {
    const { style: _, unit: __, unitDisplay: ___, ...rest } = options;
    return new Intl.NumberFormat(NUMBER_LOCALES[style], rest);
  });
  const isDigit = (part: Intl.NumberFormatPart) => ["integer", "group", "decimal", "fraction", "minusSign"].includes(part.type);
  const parts = words.formatToParts(value);
  const first = parts.findIndex(isDigit);
  const number = digits.format(options.style === "percent" ? value * 100 : value);
  return parts.map((part, index) => (index === first ? number : isDigit(part) ? "" : part.value)).join("");
}

function formatUnits(hass: Formats, bytes: number, suffix: string): string {
  // Also what is no number at all
  if (!(Math.abs(bytes) < MOST_BYTES)) return NONE;
  let amount = Math.max(0, bytes) / 1000;
  let power = 0;
  // 999.7 kB is 1 MB: what would be shown as 1000 belongs to the next unit
  while (Math.round(amount) >= 1000 && power < UNITS.length - 1) {
    amount /= 1000;
    power++;
  }
  return formatNumber(hass, amount, {
    style: "unit",
    unit: `${UNITS[power]}${suffix}`,
    unitDisplay: "short",
    maximumFractionDigits: amount >= 100 ? 0 : 1,
    // Some languages write KB, Home Assistant writes kB in each
  }).replace("KB", "kB");
}

export const formatBytes = (hass: Formats, bytes: number): string => formatUnits(hass, bytes, "");

export const formatRate = (hass: Formats, bytesPerSecond: number): string =>
  formatUnits(hass, bytesPerSecond, "-per-second");

export const formatCount = (hass: Formats, value: number): string =>
  formatNumber(hass, value, { maximumFractionDigits: 0 });

/** Return a share, such as 63%; what is too small for a whole one is <1%, and never nothing. */
export const formatPercent = (hass: Formats, share: number): string => {
  const isSmall = share > 0 && share < 0.01;
  return `${isSmall ? "<" : ""}${formatNumber(hass, isSmall ? 0.01 : share, { style: "percent", maximumFractionDigits: 0 })}`;
};

/** Return the options of a time of day by the user's profile. */
function timeOptions({ locale, config }: Formats): Intl.DateTimeFormatOptions {
  const options: Intl.DateTimeFormatOptions = {};
  if (locale.time_format === "12" || locale.time_format === "24") options.hour12 = locale.time_format === "12";
  if (locale.time_zone === "server") options.timeZone = config.time_zone;
  return options;
}

function formatDate(hass: Formats, seconds: number, options: Intl.DateTimeFormatOptions): string {
  if (!isTime(seconds)) return NONE;
  const { language, time_format: style } = hass.locale;
  const whole = { ...options, ...timeOptions(hass) };
  const locale = style === "system" ? undefined : language;
  return kept(`t ${locale} ${JSON.stringify(whole)}`, () => new Intl.DateTimeFormat(locale, whole)).format(
    seconds * SECOND,
  );
}

/** Return a time of day, such as 14:05. */
export const formatTime = (hass: Formats, seconds: number): string =>
  formatDate(hass, seconds, { hour: "numeric", minute: "2-digit" });

/** Return a time of day to the second, such as 14:05:09. */
export const formatClock = (hass: Formats, seconds: number): string =>
  formatDate(hass, seconds, { hour: "numeric", minute: "2-digit", second: "2-digit" });

/** Return a day and a time of day, such as 27 Nov, 14:05. */
export const formatDateTime = (hass: Formats, seconds: number): string =>
  formatDate(hass, seconds, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });

/** Return how long ago, such as 3 minutes ago. */
export function formatAgo(hass: Formats, seconds: number, now = Date.now() / SECOND): string {
  if (!isTime(seconds)) return NONE;
  const past = Math.max(0, Math.round(now - seconds));
  const [unit, span] = SPANS.find(([, length]) => past >= length) ?? ["second", 1];
  return kept(
    `r ${hass.locale.language}`,
    () => new Intl.RelativeTimeFormat(hass.locale.language, { numeric: "auto" }),
  ).format(-Math.floor(past / span), unit);
}

const inUnit = (hass: Formats, value: number, unit: string): string =>
  formatNumber(hass, value, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 });

/** Return a span in its largest whole unit, such as 2 hours. */
export function formatSpan(hass: Formats, seconds: number): string {
  const [unit, span] = SPANS.find(([, length]) => seconds >= length) ?? ["second", 1];
  return inUnit(hass, Math.round(seconds / span), unit);
}

/** Return what is left of a span, such as 14 min or 1 hr 5 min: never as a clock shows a time of day. */
export function formatLeft(hass: Formats, seconds: number): string {
  const short = (value: number, unit: string) =>
    formatNumber(hass, value, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 0 });
  if (!isTime(seconds)) return NONE;
  const left = Math.max(0, Math.ceil(seconds));
  if (left < 60) return short(left, "second");
  if (left >= 2 * 86_400) return inUnit(hass, Math.floor(left / 86_400), "day");
  // A started minute is told whole: what lasts an hour begins with "1 hr"
  const minutes = Math.ceil(left / 60);
  const parts = [
    [Math.floor(minutes / 60), "hour"],
    [minutes % 60, "minute"],
  ] as const;
  return parts.flatMap(([value, unit]) => (value ? [short(value, unit)] : [])).join(" ");
}

/** Return a country's name by its code; what is no code stays as it is. */
export function formatCountry({ locale }: Formats, code: string): string {
  try {
    return (
      kept(`c ${locale.language}`, () => new Intl.DisplayNames(locale.language, { type: "region" })).of(code) ?? code
    );
  } catch {
    return code;
  }
}

export const compareNames = ({ locale }: Formats): ((one: string, other: string) => number) =>
  kept(`s ${locale.language}`, () => new Intl.Collator(locale.language, { numeric: true, sensitivity: "base" })).compare;
