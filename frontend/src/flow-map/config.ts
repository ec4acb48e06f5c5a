// What a flow map shows: how far back, and what stands in its columns.

import { type ConfigForm, DOMAIN } from "../hass.js";
import { type Key, localizer } from "../localize.js";
import type { Dimension } from "../messages.js";

/** How far back, in seconds, by what it is called in a configuration. */
export const PERIODS = { "1h": 3600, "24h": 86_400, "7d": 7 * 86_400, "30d": 30 * 86_400 } as const;
export type Period = keyof typeof PERIODS;

export const MIDDLES = ["application", "domain"] as const satisfies readonly Dimension[];
export type Middle = (typeof MIDDLES)[number];

export const ENDS = ["country", "network", "domain", "peer"] as const satisfies readonly Dimension[];
export type End = (typeof ENDS)[number];

export interface FlowMapConfig {
  type: string;
  title?: string;
  entry_id?: string;
  /** A device of Home Assistant's registry, if only its streams are shown. */
  device_id?: string;
  period?: Period;
  middle?: Middle;
  /** Without it countries, or domains where no country is known. */
  end?: End;
}

/** Return a configuration, or throw what is wrong with it. */
export function checked(config: FlowMapConfig): FlowMapConfig {
  const allowed: [keyof FlowMapConfig, readonly string[]][] = [
    ["period", Object.keys(PERIODS)],
    ["middle", MIDDLES],
    ["end", ENDS],
  ];
  for (const [name, values] of allowed) {
    const value = config[name];
    if (value !== undefined && !values.includes(value)) throw new Error(`${name} is none of ${values.join(", ")}`);
  }
  return config;
}

/** Return how long an answer is good for, in milliseconds: of a long time, a few seconds are little. */
export const refreshAfter = (period: Period): number => (period === "1h" ? 5000 : 15_000);

const select = (values: readonly string[], label: (value: string) => string) => ({
  select: { mode: "dropdown", options: values.map((value) => ({ value, label: label(value) })) },
});

/** Return the form of the visual editor. */
export function flowMapForm(): ConfigForm {
  const t = localizer(undefined);
  const column = (value: string) => t(`map.column.${value}` as Key);
  return {
    schema: [
      { name: "title", selector: { text: {} } },
      { name: "period", selector: select(Object.keys(PERIODS), (value) => t(`map.period.${value}` as Key)) },
      { name: "middle", selector: select(MIDDLES, column) },
      { name: "end", selector: select(ENDS, column) },
      { name: "device_id", selector: { device: { filter: { integration: DOMAIN } } } },
      { name: "entry_id", selector: { config_entry: { integration: DOMAIN } } },
    ],
    computeLabel: ({ name }) => t(`map.field.${name}` as Key),
  };
}
