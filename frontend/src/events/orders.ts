// What can be ordered for an event: asked first, told after, each with a way back.

import { applicationName } from "../applications.js";
import { askOrder, type Asking } from "../asking.js";
import { askCutOff } from "../cutting-off.js";
import { localizer } from "../localize.js";
import type { Event, EventDetails } from "../messages.js";
import { accept, block, blockProgram, PROCESS } from "../orders.js";
import { askQuarantine, askToQuarantine } from "../quarantine.js";
import type { LiveDevice, LiveStore } from "../store.js";
import { text } from "./evidence.js";
import { AMOUNTS, BY_RULES, kindKeys, LEARNT } from "./kinds.js";

/** What fits an event. */
export interface Orders {
  accept: boolean;
  /** The peer that may be cut off for everybody. */
  peer: string | null;
  /** The device that did it, by its MAC; never the one that it was only done to. */
  culprit: string | null;
  /** The program of the gateway that did it, as a rule names it. */
  program: string | null;
}

/** Return what can be ordered for an event, as the sensor judges whom that may hit. */
export function fitting({ event, culprit, program, blockable_peer: peer }: EventDetails): Orders {
  if (BY_RULES.has(event.kind)) return { accept: false, peer: null, culprit: null, program: null };
  return { accept: Boolean(event.mac ?? event.process ?? event.address), peer, culprit, program };
}

/** Return what an event is about, in short: the device's name, the program's file, or an address. */
export function whoName({ mac, device_name: name, process, address, gateway }: Event): string {
  if (mac === null && process) return text(process.split("@")[0]!.split("/").at(-1) || process);
  return text((mac === null ? null : name) ?? mac ?? address ?? gateway);
}

/** Return the device that did it, as the page knows it live; undefined for one that is gone. */
export const culpritDevice = (store: LiveStore | undefined, event: Event, culprit: string): LiveDevice | undefined =>
  store?.gateways.get(event.entry_id)?.devices.get(culprit);

/** Return what somebody who did it is called. */
export function culpritName(store: LiveStore | undefined, event: Event, culprit: string): string {
  const name = culpritDevice(store, event, culprit)?.row.name;
  return text(name ?? (culprit === event.mac ? whoName(event) : culprit));
}

/** Ask whether an event is fine, saying how far that reaches; `undone` is called when that was taken back. */
export function askAccept(asking: Asking, event: Event, undone: () => void): Promise<boolean> {
  const { hass } = asking;
  const t = localizer(hass);
  const [who, kind] = [whoName(event), t(kindKeys(event.kind).name)];
  const speaks = event.kind === "forbidden_protocol" && /^\w+$/.test(event.subject);
  const reach = [
    speaks
      ? t("events.accept.text_speaks", { who, subject: applicationName(event.subject) })
      : event.subject
        ? t("events.accept.text_subject", { who, kind, subject: text(event.subject) })
        : t("events.accept.text", { who, kind }),
    AMOUNTS.has(event.kind) ? t("events.accept.amount") : "",
    LEARNT.has(event.kind) ? t("events.accept.learnt") : "",
  ];
  return askOrder(
    asking,
    {
      title: t("events.accept.ask"),
      text: reach.filter(Boolean).join(" "),
      confirm: t("events.accept"),
      act: () => accept(hass, event.entry_id, event.seq),
    },
    t("events.accepted", { kind }),
    undone,
  );
}

/** Ask whether to cut a peer off for everybody. */
export function askBlock(asking: Asking, entryId: string, peer: string): Promise<boolean> {
  const { hass } = asking;
  const t = localizer(hass);
  const named = { peer: text(peer) };
  return askCutOff(asking, {
    entryId,
    target: peer,
    name: named.peer,
    title: t("events.block.ask", named),
    text: t("events.block.text", named),
    confirm: t("events.block"),
    told: t("events.blocked", named),
    act: (before, seconds) => block(hass, before, seconds),
  });
}

/** Ask whether to cut off the program of the gateway that did it. */
export function askStop(asking: Asking, event: Event, program: string): Promise<boolean> {
  const { hass } = asking;
  const t = localizer(hass);
  const { entry_id: entryId, seq } = event;
  const name = whoName(event);
  return askCutOff(asking, {
    entryId,
    target: program,
    name,
    title: t("events.stop.ask", { name }),
    text: program.startsWith(PROCESS)
      ? t("events.stop.text_process", { pid: program.slice(PROCESS.length) })
      : t("events.stop.text", { path: text(program.slice(program.indexOf(":") + 1)) }),
    confirm: t("events.stop.confirm"),
    told: t("events.stopped", { name }),
    act: async (before, seconds) => {
      // A process may have ended while somebody read, and its number be another's by now
      const now = await hass.callWS<EventDetails>({ type: "hearthwall/event", entry_id: entryId, seq });
      if (now.program !== program) throw new Error(t("events.ended"));
      return blockProgram(hass, before, seconds);
    },
  });
}

/** Ask whether to cut off the device that did it, or to let it back in. */
export function askCulprit(
  asking: Asking,
  store: LiveStore | undefined,
  event: Event,
  culprit: string,
): Promise<boolean> {
  const device = culpritDevice(store, event, culprit);
  if (device) return askQuarantine(asking, device);
  const { entry_id: entryId } = event;
  const name = culpritName(store, event, culprit);
  return askToQuarantine(asking, { entryId, mac: culprit, name, deviceId: null });
}
