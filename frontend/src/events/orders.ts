// What can be ordered for an event: asked first, told after, each with a way back.

import type { HearthwallConfirm } from "../dialog.js";
import type { HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import type { Event, EventDetails } from "../messages.js";
import type { HearthwallNotice } from "../notice.js";
import { accept, blockPeer, type Undo } from "../orders.js";
import { askQuarantine as askDevice, chosenSeconds, durations } from "../quarantine.js";
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
}

/** Return what can be ordered for an event, as the sensor judges whom that may hit. */
export function fitting({ event, culprit, blockable_peer: peer }: EventDetails): Orders {
  if (BY_RULES.has(event.kind)) return { accept: false, peer: null, culprit: null };
  return { accept: Boolean(event.mac ?? event.process ?? event.address), peer, culprit };
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

export interface Asking {
  hass: HomeAssistant;
  store: LiveStore | undefined;
  confirm: HearthwallConfirm;
  notice: HearthwallNotice;
}

/** Ask whether an event is fine, saying how far that reaches; `undone` is called when that was taken back. */
export async function askAccept(
  { hass, confirm, notice }: Asking,
  event: Event,
  undone: () => void,
): Promise<boolean> {
  const t = localizer(hass);
  const [who, kind] = [whoName(event), t(kindKeys(event.kind).name)];
  const reach = [
    event.subject
      ? t("events.accept.text_subject", { who, kind, subject: text(event.subject) })
      : t("events.accept.text", { who, kind }),
    AMOUNTS.has(event.kind) ? t("events.accept.amount") : "",
    LEARNT.has(event.kind) ? t("events.accept.learnt") : "",
  ];
  const { entry_id: entryId, seq } = event;
  let undo: Undo | undefined;
  const done = await confirm.ask({
    title: t("events.accept.ask"),
    text: reach.filter(Boolean).join(" "),
    confirm: t("events.accept"),
    act: async () => (undo = await accept(hass, entryId, seq)),
  });
  if (done) notice.show(t("events.accepted", { kind }), () => undo!().then(undone));
  return done;
}

/** Ask whether to cut a peer off for everybody. */
export async function askBlock({ hass, confirm, notice }: Asking, event: Event, peer: string): Promise<boolean> {
  const t = localizer(hass);
  let undo: Undo | undefined;
  const done = await confirm.ask({
    title: t("events.block.ask", { peer: text(peer) }),
    text: t("events.block.text", { peer: text(peer) }),
    confirm: t("events.block"),
    danger: true,
    choices: durations(hass),
    act: async (choice) => (undo = await blockPeer(hass, event.entry_id, peer, chosenSeconds(choice))),
  });
  if (done) notice.show(t("events.blocked", { peer: text(peer) }), undo);
  return done;
}

/** Ask whether to cut off the device that did it, or to let it back in. */
export async function askQuarantine(asking: Asking, event: Event, culprit: string): Promise<void> {
  const { hass, store, confirm, notice } = asking;
  const device = culpritDevice(store, event, culprit);
  if (device) return askDevice(hass, device, confirm, notice);
  const t = localizer(hass);
  const name = culpritName(store, event, culprit);
  let undo: Undo | undefined;
  const done = await confirm.ask({
    title: t("quarantine.ask", { name }),
    text: t("quarantine.text"),
    confirm: t("quarantine.confirm"),
    danger: true,
    choices: durations(hass),
    // Home Assistant has no device for it, so that there is only its MAC to name
    act: async (choice) => (undo = await blockPeer(hass, event.entry_id, culprit, chosenSeconds(choice))),
  });
  if (done) notice.show(t("quarantine.on", { name }), undo);
}
