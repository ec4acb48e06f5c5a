// Days as headings: today, yesterday, and the date of all others.

import type { HomeAssistant } from "../hass.js";

const DAY = 86_400;

/** Return what names the day of a time, in the time zone that the user's profile says. */
export function dayNamer({ locale, config }: HomeAssistant, now = Date.now() / 1000): (time: number) => string {
  const zone = locale.time_zone === "server" ? { timeZone: config.time_zone } : {};
  const date = new Intl.DateTimeFormat("en-CA", { ...zone, dateStyle: "short" });
  const words = new Intl.DateTimeFormat(locale.language, { ...zone, weekday: "long", month: "long", day: "numeric" });
  const relative = new Intl.RelativeTimeFormat(locale.language, { numeric: "auto" });
  const at = (time: number) => new Date(time * 1000);
  const [today, yesterday] = [date.format(at(now)), date.format(at(now - DAY))];
  const first = (text: string) => text.charAt(0).toLocaleUpperCase(locale.language) + text.slice(1);
  return (time) => {
    const day = date.format(at(time));
    if (day === today) return first(relative.format(0, "day"));
    return day === yesterday ? first(relative.format(-1, "day")) : words.format(at(time));
  };
}
