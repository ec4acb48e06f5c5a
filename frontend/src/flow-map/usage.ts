// What moved, asked for again and again while somebody looks.

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { errorText, type HomeAssistant, isAdmin, isUnknownCommand } from "../hass.js";
import type { Dimension, Usage } from "../messages.js";
import { type End, type FlowMapConfig, type Middle, type Period, PERIODS, refreshAfter } from "./config.js";

/** Rows that are asked for; what is beyond them is in the totals, and shown as others. */
const LIMIT = 500;

/** What is asked for. */
export interface Asked {
  period: Period;
  middle: Middle;
  /** Null for countries, or domains where no country is known. */
  end: End | null;
}

export interface Answer {
  usage: Usage;
  dimensions: readonly Dimension[];
}

/** `absent` without the integration; else why there is no new answer. */
export type Problem = { absent: true } | { absent: false; reason: string };

type Host = ReactiveControllerHost & { hass?: HomeAssistant | undefined };

/** Keeps an answer fresh while its element is in a page that is seen. */
export class UsageController implements ReactiveController {
  answer: Answer | undefined;
  problem: Problem | undefined;
  private asked: Asked | undefined;
  private config: Pick<FlowMapConfig, "entry_id" | "device_id"> = {};
  private timer: ReturnType<typeof setTimeout> | undefined;
  private inPage = false;
  /** Grows with each question: what answers an older one comes too late. */
  private turn = 0;
  /** Whether no country was known, so that domains are asked for. */
  private lacksCountries = false;

  constructor(private readonly host: Host) {
    host.addController(this);
  }

  hostConnected(): void {
    this.inPage = true;
    document.addEventListener("visibilitychange", this.onVisibility);
    this.start();
  }

  hostDisconnected(): void {
    this.inPage = false;
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.stop();
  }

  /** Ask for something else, at once. */
  ask(asked: Asked, config: Pick<FlowMapConfig, "entry_id" | "device_id">): void {
    this.asked = asked;
    this.config = config;
    this.lacksCountries = false;
    this.start();
  }

  /** Begin, once there is everything to ask with. */
  start(): void {
    this.stop();
    const { hass } = this.host;
    if (this.inPage && this.asked && hass && isAdmin(hass) && !document.hidden) void this.next(++this.turn);
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.turn++;
  }

  private readonly onVisibility = (): void => (document.hidden ? this.stop() : this.start());

  private async next(turn: number): Promise<void> {
    const asked = this.asked!;
    try {
      const answer = await this.fetch(asked);
      if (turn !== this.turn) return;
      this.answer = answer;
      this.problem = undefined;
    } catch (error) {
      if (turn !== this.turn) return;
      this.problem = isUnknownCommand(error) ? { absent: true } : { absent: false, reason: errorText(error) };
    }
    this.host.requestUpdate();
    this.timer = setTimeout(() => void this.next(turn), refreshAfter(asked.period));
  }

  private async fetch({ period, middle, end }: Asked): Promise<Answer> {
    const ask = async (last: End): Promise<Answer> => {
      const dimensions: Dimension[] = ["mac", middle, last];
      const usage = await this.host.hass!.callWS<Usage>({
        type: "hearthwall/usage",
        // Twice the same column says no more than once
        by: [...new Set(dimensions)],
        since: PERIODS[period],
        limit: LIMIT,
        ...(this.config.entry_id ? { entry_id: this.config.entry_id } : {}),
        ...(this.config.device_id ? { device_id: this.config.device_id } : {}),
      });
      return { usage, dimensions };
    };
    const instead: End = middle === "domain" ? "peer" : "domain";
    if (end !== null) return ask(end);
    if (this.lacksCountries) return ask(instead);
    const answer = await ask("country");
    if (!answer.usage.rows.length || answer.usage.rows.some(({ country }) => country)) return answer;
    // Without a file of countries the column would say one thing only: that nobody knows
    this.lacksCountries = true;
    return ask(instead);
  }
}
