// The devices card's visual editor.

import { type ConfigForm, DOMAIN, type FormField } from "../hass.js";
import { formTexts } from "../form.js";
import { localizer } from "../localize.js";
import { SORTS } from "./list.js";

export function devicesForm(): ConfigForm {
  const t = localizer(undefined);
  const schema: FormField[] = [
    { name: "title", selector: { text: {} } },
    {
      name: "sort",
      default: "today",
      selector: {
        select: { mode: "dropdown", options: SORTS.map((value) => ({ value, label: t(`devices.sort.${value}`) })) },
      },
    },
    { name: "area", selector: { area: { multiple: true } } },
    { name: "label", selector: { label: { multiple: true } } },
    { name: "toolbar", default: true, selector: { boolean: {} } },
    { name: "entry_id", selector: { config_entry: { integration: DOMAIN } } },
  ];
  return { schema, ...formTexts() };
}
