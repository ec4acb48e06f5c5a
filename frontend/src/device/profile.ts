// What was learnt of a device, in sentences.

import { applicationName } from "../applications.js";
import { formatBytes, formatCountry, formatDateTime, formatPercent } from "../format.js";
import type { HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import type { Habit, ProfileReport } from "../messages.js";

const MOST = 5;
/** What stands for peers without a name. */
const NAMELESS = "-";

/** Return the sentences; what is not known makes none. */
export function profileSentences(
  hass: Pick<HomeAssistant, "locale" | "config">,
  profile: ProfileReport,
  now = Date.now() / 1000,
): string[] {
  const t = localizer(hass);
  const join = (names: readonly string[]) =>
    new Intl.ListFormat(hass.locale.language, { type: "conjunction" }).format(names);
  const most = (habits: readonly Habit[], name = (habit: Habit) => habit.name) =>
    join(habits.slice(0, MOST).map(name));
  const domains = profile.domains.filter(({ name }) => name !== NAMELESS);
  const sentences = [
    profile.frozen
      ? t("profile.frozen", { since: formatDateTime(hass, profile.since) })
      : profile.learning_until > now
        ? t("profile.learning", { until: formatDateTime(hass, profile.learning_until) })
        : t("profile.learnt", {
            since: formatDateTime(hass, profile.since),
            sure: formatPercent(hass, Math.min(1, Math.max(0, profile.sure))),
          }),
  ];
  if (domains.length) sentences.push(t("profile.domains", { names: most(domains) }));
  if (profile.countries.length) {
    sentences.push(t("profile.countries", { names: most(profile.countries, ({ name }) => formatCountry(hass, name)) }));
  }
  if (profile.networks.length) sentences.push(t("profile.networks", { names: most(profile.networks) }));
  const { applications, ports } = profile;
  const speaks = applications.length ? most(applications, ({ name }) => applicationName(name)) : most(ports);
  if (speaks) sentences.push(t("profile.speaks", { names: speaks }));
  const [down, up] = [profile.download_a_day, profile.upload_a_day];
  if (down && up) {
    sentences.push(t("profile.day", { download: formatBytes(hass, down.usual), upload: formatBytes(hass, up.usual) }));
  }
  return sentences;
}
