// The events that a card knows, the newest first, and those of them that are asked for.

import type { Event, Severity } from "../messages.js";

/** The mildest first. */
export const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const satisfies readonly Severity[];

/** More are not kept in a page. */
export const MOST = 500;

export interface Filter {
  /** The mildest that is shown. */
  severity: Severity;
  kind: string | null;
  /** What `whoOf` returns of the events that are shown. */
  who: string | null;
}

export const EVERYTHING: Filter = { severity: "info", kind: null, who: null };

/** What tells an event from all others. */
export const keyOf = ({ entry_id, seq }: Event): string => `${entry_id}/${seq}`;

/** What an event is about: a device, a program of a gateway, or an address. */
export const whoOf = ({ mac, process, address, entry_id }: Event): string =>
  JSON.stringify([entry_id, mac ?? process ?? address ?? ""]);

export const rankOf = (severity: string): number => Math.max(0, SEVERITIES.indexOf(severity as Severity));

const newestFirst = (one: Event, other: Event): number =>
  other.time - one.time || other.seq - one.seq || (one.entry_id < other.entry_id ? -1 : 1);

/**
 * What is shown, and what has come since and waits: who reads further down must not lose the place.
 *
 * What is not newer than all that is shown, such as older pages, never waits.
 */
export class Timeline {
  events: readonly Event[] = [];
  waiting: readonly Event[] = [];

  /** Take events; `hold` says to let new ones wait. */
  receive(events: readonly Event[], hold: boolean): void {
    const shown = new Map(this.events.map((event) => [keyOf(event), event]));
    const waiting = new Map(this.waiting.map((event) => [keyOf(event), event]));
    const newest = this.events[0]?.time ?? -Infinity;
    for (const event of events) {
      const key = keyOf(event);
      const waits = !shown.has(key) && (waiting.has(key) || (hold && event.time > newest));
      (waits ? waiting : shown).set(key, event);
    }
    this.events = [...shown.values()].sort(newestFirst).slice(0, MOST);
    this.waiting = [...waiting.values()].sort(newestFirst).slice(0, MOST);
  }

  /** Show those that wait. */
  release(): void {
    const { waiting } = this;
    this.waiting = [];
    this.receive(waiting, false);
  }

  /** Forget everything. */
  clear(): void {
    this.events = this.waiting = [];
  }
}

/** Return the events that a filter lets through. */
export function filtered(events: readonly Event[], { severity, kind, who }: Filter): readonly Event[] {
  const least = rankOf(severity);
  return events.filter(
    (event) =>
      rankOf(event.severity) >= least &&
      (kind === null || event.kind === kind) &&
      (who === null || whoOf(event) === who),
  );
}

/** Return what can be chosen, by how it is told apart, sorted by name; what is chosen stays there. */
export function choices(
  events: readonly Event[],
  idOf: (event: Event) => string,
  nameOf: (event: Event) => string,
  compare: (one: string, other: string) => number,
): readonly { id: string; name: string }[] {
  const names = new Map<string, string>();
  for (const event of events) {
    const id = idOf(event);
    if (!names.has(id)) names.set(id, nameOf(event));
  }
  return [...names].map(([id, name]) => ({ id, name })).sort((one, other) => compare(one.name, other.name));
}

/** Return events by the day that they fall into, as `dayOf` names it. */
export function byDay(
  events: readonly Event[],
  dayOf: (time: number) => string,
): readonly { day: string; events: readonly Event[] }[] {
  const days: { day: string; events: Event[] }[] = [];
  for (const event of events) {
    const day = dayOf(event.time);
    const last = days.at(-1);
    if (last?.day === day) last.events.push(event);
    else days.push({ day, events: [event] });
  }
  return days;
}
