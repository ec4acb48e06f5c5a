// What the cards order, by the integration's own actions; each order knows its way back.

import { DOMAIN, type HomeAssistant } from "./hass.js";
import type { Block } from "./messages.js";
import type { LiveDevice } from "./store.js";

/** Do something else: the way back from what was done. */
export type Undo = () => Promise<unknown>;

const call = (
  hass: HomeAssistant,
  action: string,
  data: Record<string, unknown>,
  deviceId?: string,
): Promise<unknown> =>
  // The cards show themselves what fails
  hass.callService(DOMAIN, action, data, deviceId === undefined ? undefined : { device_id: [deviceId] }, false);

/** How a rule names one process. */
export const PROCESS = "pid:";

const lasting = (seconds: number | null) => (seconds === null ? {} : { duration: { seconds } });
const secondsLeft = (expires: number | null) =>
  expires === null ? null : Math.max(1, Math.round(expires - Date.now() / 1000));

/** Cut a device off, for so many seconds or until it is released. */
export async function quarantine(hass: HomeAssistant, device: LiveDevice, seconds: number | null): Promise<Undo> {
  const data = lasting(seconds);
  const { device_id: id, mac } = device.row;
  if (id) await call(hass, "quarantine", data, id);
  else await call(hass, "block", { target: mac, config_entry_id: device.entryId, ...data });
  return () => release(hass, device);
}

/** Let a device back in; on the way back it is cut off for what was left. */
export async function release(hass: HomeAssistant, device: LiveDevice): Promise<Undo> {
  const { device_id: id, mac, rule, quarantine_entity: entity } = device.row;
  // The switch ends what cuts the device off, and leaves rules on parts of its traffic; the action ends them all
  if (entity) await hass.callService("switch", "turn_off", {}, { entity_id: entity }, false);
  else if (id) await call(hass, "release", {}, id);
  else await call(hass, "unblock", { target: mac, config_entry_id: device.entryId });
  return () => quarantine(hass, device, secondsLeft(rule?.expires ?? null));
}

/** Cut a peer off for the whole home. */
export async function blockPeer(
  hass: HomeAssistant,
  entryId: string,
  target: string,
  seconds: number | null,
): Promise<Undo> {
  await call(hass, "block", { target, config_entry_id: entryId, ...lasting(seconds) });
  return () => call(hass, "unblock", { target, config_entry_id: entryId });
}

/** Cut a program of the gateway off, as `hearthwall/event` names it: its file, or a process and what that starts. */
export async function blockProgram(
  hass: HomeAssistant,
  entryId: string,
  program: string,
  seconds: number | null,
): Promise<Undo> {
  const what = program.startsWith(PROCESS)
    ? { pid: Number(program.slice(PROCESS.length)), children: true }
    : { executable: program };
  const data = { ...what, config_entry_id: entryId, ...lasting(seconds) };
  const answer = await hass.callService(DOMAIN, "block_process", data, undefined, false, true);
  const { blocks } = ((answer ?? {}).response ?? {}) as { blocks?: Pick<Block, "id">[] };
  return async () => {
    for (const { id } of blocks ?? []) await call(hass, "unblock", { id, config_entry_id: entryId });
  };
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

/** End a rule; on the way back the same is ordered again, for what was left. */
export async function unblock(hass: HomeAssistant, entryId: string, block: Block): Promise<Undo> {
  await call(hass, "unblock", { id: block.id, config_entry_id: entryId });
  const said = TERMS.map((name) => [name, block[name]] as const).filter(
    ([name, value]) => value !== null && value !== "" && !(name === "peers" && !block.peers.length),
  );
  const data = { target: block.target, config_entry_id: entryId, ...Object.fromEntries(said) };
  return () => call(hass, "block", { ...data, ...lasting(secondsLeft(block.expires)) });
}

/** Take back that something is fine. */
export const revoke = (hass: HomeAssistant, entryId: string, acceptance: number): Promise<unknown> =>
  hass.callWS({ type: "hearthwall/revoke", entry_id: entryId, acceptance });

/** Say that what an event tells of is fine. */
export async function accept(hass: HomeAssistant, entryId: string, seq: number): Promise<Undo> {
  await call(hass, "accept", { seq, config_entry_id: entryId });
  return () => hass.callWS({ type: "hearthwall/revoke", entry_id: entryId, seq });
}
