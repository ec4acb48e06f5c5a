// What can be said of the devices card.

import { SORTS, type Sort } from "./list.js";

export interface DevicesConfig {
  type: string;
  title?: string;
  entry_id?: string;
  sort?: Sort;
  area?: string | string[];
  label?: string | string[];
  toolbar?: boolean;
  /** Where a device leads, with `{device_id}` in it; a dialog unless something else is said. */
  navigation_path?: string;
}

const isText = (value: unknown) => typeof value === "string";
const isBoolean = (value: unknown) => typeof value === "boolean";
const areTexts = (value: unknown) => [value].flat().every(isText);

/** What each option may be, and how that is said. */
const OPTIONS: Record<Exclude<keyof DevicesConfig, "type">, [(value: unknown) => boolean, string]> = {
  title: [isText, "no text"],
  entry_id: [isText, "no text"],
  sort: [(value) => SORTS.includes(value as Sort), `none of ${SORTS.join(", ")}`],
  area: [areTexts, "no area's id, nor a list of them"],
  label: [areTexts, "no label's id, nor a list of them"],
  navigation_path: [isText, "no text"],
  toolbar: [isBoolean, "neither true nor false"],
};

/** Return a configuration, or throw what is wrong with it. */
export function checked(config: DevicesConfig): DevicesConfig {
  if (typeof config !== "object" || config === null) throw new Error("The card has no configuration");
  for (const [name, [isRight, fault]] of Object.entries(OPTIONS)) {
    // An editor leaves what was emptied as null
    const value = config[name as keyof DevicesConfig] ?? undefined;
    if (value !== undefined && !isRight(value)) throw new Error(`${name} is ${fault}`);
  }
  return config;
}
