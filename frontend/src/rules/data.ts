// The rules of all gateways, asked for again and again while somebody looks, and whenever one came or went.

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { DOMAIN, errorText, type HomeAssistant } from "../hass.js";
import type { Block } from "../messages.js";
import { rulesOf } from "../orders.js";
import { Live } from "../store.js";

const REFRESH_MS = 10_000;

export interface GatewayRules {
  entryId: string;
  gateway: string;
  blocks: readonly Block[];
}

type Host = ReactiveControllerHost & { hass?: HomeAssistant | undefined };

const newestFirst = (one: Block, other: Block) => other.created - one.created || other.id - one.id;

export class RulesData implements ReactiveController {
  /** Undefined until a gateway has answered. */
  rules: readonly GatewayRules[] | undefined;
  problem = "";
  readonly live: Live;
  private seen: string | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;
  private turn = 0;

  constructor(
    private readonly host: Host,
    private readonly entryId: () => string | undefined,
  ) {
    this.live = new Live(host);
    host.addController(this);
  }

  hostConnected(): void {
    this.timer = setInterval(() => document.visibilityState !== "hidden" && void this.refresh(), REFRESH_MS);
    this.seen = undefined;
  }

  hostDisconnected(): void {
    clearInterval(this.timer);
    this.turn++;
  }

  hostUpdated(): void {
    const seen = this.look();
    if (seen === this.seen || !seen) return;
    this.seen = seen;
    void this.refresh();
  }

  /** Return what changes with the rules: those of devices as the live rows tell, the others by their number. */
  private look(): string {
    const { hass } = this.host;
    const { store } = this.live;
    if (!hass || !store?.gateways.size) return "";
    const rows = [...store.devices()].map(({ row }) => `${row.rule?.id ?? ""}${row.quarantined ? "!" : ""}`);
    const gateways = [...store.gateways.values()].map(({ entryId, connected }) => `${entryId}${connected}`);
    const counted = Object.values(hass.entities)
      .filter(({ platform, translation_key: key }) => platform === DOMAIN && key === "active_blocks")
      .map(({ entity_id: id }) => hass.states[id]?.state);
    return JSON.stringify([rows, gateways, counted, this.entryId()]);
  }

  /** Ask again now; a gateway that does not answer keeps its last rules. */
  async refresh(): Promise<void> {
    const { hass } = this.host;
    const wanted = this.entryId();
    const gateways = [...(this.live.store?.gateways.values() ?? [])].filter(
      ({ entryId, connected }) => connected && (!wanted || wanted === entryId),
    );
    if (!hass || !gateways.length) return;
    const mine = ++this.turn;
    const before = new Map(this.rules?.map((each) => [each.entryId, each]));
    const problems: string[] = [];
    const asked = gateways.map(async ({ entryId, name: gateway }): Promise<GatewayRules | undefined> => {
      try {
        return { entryId, gateway, blocks: (await rulesOf(hass, entryId)).sort(newestFirst) };
      } catch (error) {
        problems.push(errorText(error));
        return before.get(entryId);
      }
    });
    const rules = (await Promise.all(asked)).filter((each) => each !== undefined);
    if (mine !== this.turn) return;
    this.rules = rules.length || !problems.length ? rules : this.rules;
    this.problem = problems[0] ?? "";
    this.host.requestUpdate();
  }
}
