// A gateway's rules as the sensor keeps them: one in each place, and each order named back by its id.

import type { Block } from "../src/messages.js";

let last = 100;

export function rule(target: string, fields: Partial<Block> = {}): Block {
  return {
    id: ++last,
    target,
    kind: "mac",
    mode: "isolate",
    allow: [],
    reason: "",
    created: 0,
    expires: null,
    confirm_by: null,
    packets: 0,
    bytes: 0,
    first_hit: null,
    last_hit: null,
    latency_ms: null,
    transport: null,
    port: null,
    direction: "any",
    peers: [],
    bytes_per_second: null,
    packets_per_second: null,
    redirect_to: null,
    audits: null,
    addresses: [],
    children: false,
    enforced: true,
    asked: null,
    program: null,
    ...fields,
  };
}

/** What a rule says, without what is counted, and its end as what is left of it in seconds. */
export const said = ({ id: _, created: __, expires, ...rest }: Block) => ({
  ...rest,
  left: expires === null ? null : Math.round(expires - Date.now() / 1000),
});

type Data = Record<string, unknown> & { duration?: { seconds: number }; confirm_within?: { seconds: number } };

export class FakeGateway {
  rules: Block[] = [];
  /** What a rule's end uncovers: a user's rule, whose place a response had taken. */
  readonly beneath = new Map<number, Block>();

  /** Do what an action says; the device of an id is the one with that MAC. */
  call(action: string, data: Data, target?: { device_id?: string[] }): { blocks: Block[] } {
    const of = (data["target"] ?? target?.device_id?.[0]?.replace(/^id-/, "")) as string | undefined;
    switch (action) {
      case "get_blocks":
        return { blocks: this.rules.filter((each) => of === undefined || each.target === of) };
      case "block":
      case "quarantine":
        return { blocks: [this.put(of!, data)] };
      case "block_process": {
        const { pid, executable, folder, audit, peers, ...rest } = data;
        const named = pid === undefined ? (executable ?? `dir:${folder}`) : `pid:${pid}`;
        const mode = peers ? "allow_only" : "isolate";
        return { blocks: [this.put(String(named), { ...rest, ...(peers ? { peers } : {}), ...(audit ? { mode: "audit", audits: mode } : { mode }) })] };
      }
      case "unblock": {
        const ended = this.rules.find(({ id }) => id === data["id"]);
        if (!ended) throw { message: "There is no such rule" };
        const beneath = this.beneath.get(ended.id);
        this.rules = [...this.rules.filter((each) => each !== ended), ...(beneath ? [beneath] : [])];
        return { blocks: [ended] };
      }
      case "release":
        this.rules = this.rules.filter((each) => each.target !== of);
        return { blocks: [] };
      default:
        return { blocks: [] };
    }
  }

  private put(target: string, { duration, confirm_within: confirm, config_entry_id: _, ...terms }: Data): Block {
    const now = Date.now() / 1000;
    const made = rule(target, {
      ...terms,
      target,
      expires: duration ? now + duration.seconds : null,
      confirm_by: confirm ? now + confirm.seconds : null,
    });
    const isElsewhere = (each: Block) =>
      each.target !== target || each.transport !== made.transport || each.port !== made.port;
    this.rules = [...this.rules.filter(isElsewhere), made];
    return made;
  }
}
