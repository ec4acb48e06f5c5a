// What the cards order, by the integration's own actions; each order knows its way back.

import { DOMAIN, type HomeAssistant } from "./hass.js";
import { localizer } from "./localize.js";
import type { Block } from "./messages.js";
import type { LiveDevice } from "./store.js";

/** Do something else: the way back from what was done. */
export type Undo = () => Promise<unknown>;

const call = (hass: HomeAssistant, action: string, data: Record<string, unknown>): Promise<unknown> =>
  // The cards show themselves what fails
  hass.callService(DOMAIN, action, data, undefined, false);

/** How a rule names one process. */
export const PROCESS = "pid:";
const FOLDER = "dir:";

const lasting = (seconds: number | null) => (seconds === null ? {} : { duration: { seconds } });
const secondsLeft = (until: number) => Math.max(1, Math.round(until - Date.now() / 1000));
const hasEnded = ({ expires, confirm_by: confirm }: Block) =>
  [expires, confirm].some((end) => end !== null && end <= Date.now() / 1000);

/** What only one rule can be on: a target's traffic, or a part of it. */
type Place = Pick<Block, "target"> & Partial<Pick<Block, "transport" | "port">>;

const isIn = (block: Block, { transport = null, port = null }: Place) =>
  block.transport === transport && block.port === port;

const blocksIn = (answer: { response?: unknown } | void): Block[] =>
  ((answer ?? {}).response as { blocks?: Block[] } | undefined)?.blocks ?? [];

/** Return a gateway's rules, or those on one target, however that is written. */
export async function rulesOf(hass: HomeAssistant, entryId: string, target?: string): Promise<Block[]> {
  const data = { config_entry_id: entryId, ...(target === undefined ? {} : { target }) };
  return blocksIn(await hass.callService(DOMAIN, "get_blocks", data, undefined, false, true));
}

const ruleAt = async (hass: HomeAssistant, entryId: string, place: Place): Promise<Block | undefined> =>
  (await rulesOf(hass, entryId, place.target)).find((each) => isIn(each, place));

const changed = (hass: HomeAssistant) => new Error(localizer(hass)("orders.changed"));

/** What is to be cut off, and the rule whose place the new one takes. */
export interface Standing {
  entryId: string;
  target: string;
  rule: Block | undefined;
}

/** Return how something stands that may be cut off. */
export const standing = async (hass: HomeAssistant, entryId: string, target: string): Promise<Standing> => ({
  entryId,
  target,
  rule: await ruleAt(hass, entryId, { target }),
});

/** Order a rule; on the way back what was there before is there again. */
async function replace(
  hass: HomeAssistant,
  { entryId, target, rule }: Standing,
  action: string,
  data: Record<string, unknown>,
  deviceId?: string,
): Promise<Undo | undefined> {
  const [now, all] = await Promise.all([ruleAt(hass, entryId, { target }), rulesOf(hass, entryId)]);
  // Somebody else's order of this moment is not to be lost
  if (now?.id !== rule?.id) throw changed(hass);
  const [made] = blocksIn(
    await hass.callService(DOMAIN, action, data, deviceId === undefined ? undefined : { device_id: [deviceId] }, false, true),
  );
  if (!made) return undefined;
  // A program's file may be another one than was named
  const before = all.find((each) => each.target === made.target && isIn(each, made));
  return async () => {
    const there = await ruleAt(hass, entryId, made);
    if (!there) return;
    if (there.id !== made.id) throw changed(hass);
    if (before && !hasEnded(before)) await again(hass, entryId, before);
    else await call(hass, "unblock", { id: made.id, config_entry_id: entryId });
  };
}

/** Cut a device off, for so many seconds or until it is released. */
export function quarantine(
  hass: HomeAssistant,
  before: Standing,
  deviceId: string | null,
  seconds: number | null,
): Promise<Undo | undefined> {
  return deviceId === null
    ? block(hass, before, seconds)
    : replace(hass, before, "quarantine", lasting(seconds), deviceId);
}

/** Cut something off for the whole home. */
export const block = (hass: HomeAssistant, before: Standing, seconds: number | null): Promise<Undo | undefined> =>
  replace(hass, before, "block", { target: before.target, config_entry_id: before.entryId, ...lasting(seconds) });

/** Return the field of the action that names processes as a rule does. */
function named(target: string): Record<string, unknown> {
  if (target.startsWith(PROCESS)) return { pid: Number(target.slice(PROCESS.length)) };
  return target.startsWith(FOLDER) ? { folder: target.slice(FOLDER.length) } : { executable: target };
}

/** Cut a program of the gateway off, as `hearthwall/event` names it: its file, or a process and what that starts. */
export function blockProgram(
  hass: HomeAssistant,
  before: Standing,
  seconds: number | null,
): Promise<Undo | undefined> {
  const { entryId, target } = before;
  const children = target.startsWith(PROCESS) ? { children: true } : {};
  const data = { ...named(target), ...children, config_entry_id: entryId, ...lasting(seconds) };
  return replace(hass, before, "block_process", data);
}

/** Whether a rule cuts off altogether, as quarantine does. */
export const isolates = ({ mode, direction, transport, port }: Block): boolean =>
  mode === "isolate" && direction === "any" && transport === null && port === null;

/** Let a device back in; rules on parts of its traffic, or of another mode, stay. */
export async function release(hass: HomeAssistant, { entryId, row }: LiveDevice): Promise<Undo | undefined> {
  const rule = await ruleAt(hass, entryId, { target: row.mac });
  if (!rule || !isolates(rule)) throw changed(hass);
  return unblock(hass, entryId, rule);
}

/** What an order of a rule says beside its target; the rest of a rule is counted or decided by the sensor. */
const TERMS = [
  "mode",
  "allow",
  "reason",
  "transport",
  "port",
  "direction",
  "peers",
  "bytes_per_second",
  "packets_per_second",
  "redirect_to",
  "audits",
] as const satisfies readonly (keyof Block)[];

/** Order the same rule again, for what was left of it. */
async function again(hass: HomeAssistant, entryId: string, rule: Block): Promise<void> {
  const { expires, confirm_by: confirm, peers, reason } = rule;
  // By the name that it was ordered by: a symbolic link is held, too
  const target = rule.asked ?? rule.target;
  const times = {
    ...(expires === null ? {} : lasting(secondsLeft(expires))),
    ...(confirm === null ? {} : { confirm_within: { seconds: secondsLeft(confirm) } }),
  };
  const said = (terms: readonly (readonly [string, unknown])[]) =>
    Object.fromEntries(
      terms.filter(([name, value]) => value !== null && value !== "" && !(name === "peers" && !peers.length)),
    );
  const common = { config_entry_id: entryId, ...times };
  // What a process starts can be named by this action alone, which takes the mode from the other terms
  if (rule.children) {
    const terms = said([["reason", reason], ["peers", peers]]);
    const audit = rule.mode === "audit" ? { audit: true } : {};
    await call(hass, "block_process", { ...named(target), children: true, ...common, ...terms, ...audit });
  } else {
    await call(hass, "block", { target, ...common, ...said(TERMS.map((name) => [name, rule[name]])) });
  }
}

/** End a rule; on the way back the same is ordered again, unless another one is in its place by then. */
export async function unblock(hass: HomeAssistant, entryId: string, rule: Block): Promise<Undo | undefined> {
  await call(hass, "unblock", { id: rule.id, config_entry_id: entryId });
  // Beneath a response of the sensor's own lies what it took the place of: another order would end that for good
  if (await ruleAt(hass, entryId, rule)) return undefined;
  return async () => {
    if (await ruleAt(hass, entryId, rule)) throw changed(hass);
    if (!hasEnded(rule)) await again(hass, entryId, rule);
  };
}

/** Take back that something is fine. */
export const revoke = (hass: HomeAssistant, entryId: string, acceptance: number): Promise<unknown> =>
  hass.callWS({ type: "hearthwall/revoke", entry_id: entryId, acceptance });

/** Say that what an event tells of is fine. */
export async function accept(hass: HomeAssistant, entryId: string, seq: number): Promise<Undo> {
  await call(hass, "accept", { seq, config_entry_id: entryId });
  return () => hass.callWS({ type: "hearthwall/revoke", entry_id: entryId, seq });
}
