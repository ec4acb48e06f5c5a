// What the fields of the visual editors are called, by their names.

import type { ConfigForm, FormField } from "./hass.js";
import { type Key, localizer } from "./localize.js";

const LABELS: Record<string, Key> = {
  title: "common.title",
  sort: "devices.sort",
  area: "devices.area",
  label: "devices.label",
  toolbar: "devices.toolbar",
  entry_id: "common.gateway",
  navigation_path: "badge.navigation_path",
  device_id: "device.device",
};
const HELPERS: Record<string, Key> = {
  entry_id: "common.gateway.help",
};

/** Home Assistant asks for these without `hass`: the page says its language. */
export function formTexts(): Required<Pick<ConfigForm, "computeLabel" | "computeHelper">> {
  const say = (keys: Record<string, Key>) => ({ name }: FormField) => {
    const key = keys[name];
    return key && localizer(undefined)(key);
  };
  return { computeLabel: say(LABELS), computeHelper: say(HELPERS) };
}
