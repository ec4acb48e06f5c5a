// The cards' own sentences, in the language of the user's profile; English where there is no translation.

import type { HomeAssistant } from "./hass.js";
import { en } from "./strings/en.js";
import { ja } from "./strings/ja.js";

export type Key = keyof typeof en;
export type Localize = (key: Key, values?: Record<string, string | number>) => string;

const LANGUAGES: Record<string, Record<Key, string>> = { en, ja };

/** Return the function that gives the sentence of a key, with {names} replaced. */
export function localizer(hass: Pick<HomeAssistant, "locale"> | undefined): Localize {
  const language = hass?.locale.language ?? (document.documentElement.lang || navigator.language);
  const strings = LANGUAGES[language] ?? LANGUAGES[language.split("-")[0] ?? ""] ?? en;
  return (key, values = {}) => strings[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Return the sentence of a key that is put together, such as a mode's, or undefined where there is none. */
export const optionalKey = (key: string): Key | undefined => (key in en ? (key as Key) : undefined);
