// The flow map: from devices through applications to where it went, as streams that can be singled out.

import { mdiChartSankey, mdiTableLarge } from "@mdi/js";
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { classMap } from "lit/directives/class-map.js";
import { styleMap } from "lit/directives/style-map.js";
import { type ConfigForm, type GridOptions, type HomeAssistant, isAdmin } from "../hass.js";
import { type Key, localizer } from "../localize.js";
import { card } from "../styles.js";
import { chart } from "./chart.js";
import { Colours } from "./colours.js";
import {
  checked,
  type End,
  ENDS,
  type FlowMapConfig,
  flowMapForm,
  type Middle,
  MIDDLES,
  type Period,
  PERIODS,
} from "./config.js";
import { type Graph, graphOf, isolated, isOthers } from "./graph.js";
import { leftsOf, mostNodes } from "./layout.js";
import { flowMapStyles } from "./styles.js";
import { table } from "./table.js";
import { UsageController } from "./usage.js";
import { caption, nameOf } from "./words.js";

export class HearthwallFlowMapCard extends LitElement {
  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @state() private config: FlowMapConfig | undefined;
  @state() private period: Period = "24h";
  @state() private middle: Middle = "application";
  @state() private end: End | null = null;
  @state() private width = 0;
  @state() private asTable = false;
  /** What was chosen, until it is chosen again. */
  @state() private pinned: string | null = null;
  /** What the pointer is over. */
  @state() private hovered: string | null = null;
  /** The node that the tabulator key reaches; arrows move it. */
  @state() private reached: string | null = null;
  private readonly usage = new UsageController(this);
  private readonly colours = new Colours();
  private graph: Graph | undefined;
  private observer: ResizeObserver | undefined;
  private observed: Element | null = null;

  static getConfigForm(): ConfigForm {
    return flowMapForm();
  }

  static getStubConfig(): Omit<FlowMapConfig, "type"> {
    return { period: "24h" };
  }

  setConfig(config: FlowMapConfig): void {
    this.config = checked(config);
    this.period = config.period ?? "24h";
    this.middle = config.middle ?? "application";
    this.end = config.end ?? null;
    this.ask();
  }

  getCardSize(): number {
    return 9;
  }

  getGridOptions(): GridOptions {
    return { columns: "full", rows: "auto", min_columns: 6 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.observer = new ResizeObserver(([entry]) => {
      this.width = Math.floor(entry?.contentRect.width ?? 0);
    });
    this.observe();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer?.disconnect();
    this.observed = null;
  }

  protected override updated(): void {
    this.observe();
  }

  /** Follow the width of the frame, as soon as there is one. */
  private observe(): void {
    const frame = this.renderRoot?.querySelector(".frame") ?? null;
    if (!frame || frame === this.observed) return;
    this.observed = frame;
    this.observer?.observe(frame);
  }

  private ask(): void {
    this.usage.ask({ period: this.period, middle: this.middle, end: this.end }, this.config ?? {});
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("hass") && !changed.get("hass")) this.usage.start();
    const { answer } = this.usage;
    if (!answer || !this.width) return;
    const shown = new Set(this.graph?.columns.flat().map(({ id }) => id));
    this.graph = graphOf(answer.usage, answer.dimensions, mostNodes(this.width), shown);
    // What is gone can't be let go of any more
    if (this.pinned && !isolated(this.graph, this.pinned)) this.pinned = null;
    const ids = this.graph.columns.flat().map(({ id }) => id);
    if (!this.reached || !ids.includes(this.reached)) this.reached = ids[0] ?? null;
  }

  protected override render() {
    if (!this.config || !this.hass) return nothing;
    const t = localizer(this.hass);
    return html`
      <ha-card @keydown=${this.onKey}>
        <div class="head">
          <h2 class="card-title">${this.config.title ?? t("map.title")}</h2>
          <div class="tools">
            <div class="periods" role="group" aria-label=${t("map.period")}>
              ${(Object.keys(PERIODS) as Period[]).map(
                (period) => html`<button
                  aria-pressed=${period === this.period}
                  @click=${() => this.choosePeriod(period)}
                >
                  ${t(`map.period.${period}`)}
                </button>`,
              )}
            </div>
            <button
              class="icon"
              aria-label=${t(this.asTable ? "map.chart" : "map.table")}
              title=${t(this.asTable ? "map.chart" : "map.table")}
              @click=${() => (this.asTable = !this.asTable)}
            >
              <svg viewBox="0 0 24 24" aria-hidden="true"><path d=${this.asTable ? mdiChartSankey : mdiTableLarge}></path></svg>
            </button>
          </div>
        </div>
        ${this.problemText()}
        <div class="frame">${this.body()}</div>
      </ha-card>
    `;
  }

  private problemText(): TemplateResult | typeof nothing {
    const { problem, answer } = this.usage;
    const t = localizer(this.hass);
    // Without an answer the body says what is wrong
    if (!problem || !answer || problem.absent) return nothing;
    return html`<p class="notice" role="status">${t("map.lost", { reason: problem.reason })}</p>`;
  }

  private body(): TemplateResult {
    const hass = this.hass!;
    const t = localizer(hass);
    const { answer, problem } = this.usage;
    const message = (text: string) => html`<p class="message" role="status">${text}</p>`;
    if (!isAdmin(hass)) return message(t("map.admin"));
    if (!answer && problem) return message(problem.absent ? t("map.absent") : t("map.lost", { reason: problem.reason }));
    if (!answer || !this.graph) return message(t("map.waiting"));
    const headings = html`<div class="columns" style=${styleMap({ "--middle": `${leftsOf(this.width, 2)[1]!}px` })}>
      <span class="column">${t("map.column.mac")}</span>
      ${this.columnChoice("middle", MIDDLES, answer.dimensions[1] ?? this.middle)}
      ${this.columnChoice("end", ENDS, answer.dimensions[2] ?? "country")}
    </div>`;
    if (!this.graph.streams.length) return html`${headings}${message(t("map.empty"))}`;
    if (this.asTable) return html`${headings}${table(hass, this.graph, answer.dimensions)}`;
    const chosen = this.pinned ?? this.hovered;
    const { columns } = this.graph;
    const colours = this.colours.of(columns[0]!.filter((node) => !isOthers(node)).map(({ id }) => id));
    return html`
      ${headings}
      ${chart(this.graph, this.width, {
        label: t("map.label"),
        colours,
        chosen: isolated(this.graph, chosen),
        pinned: this.pinned,
        reached: this.reached,
        name: (node) => nameOf(hass, node, answer.dimensions),
        describe: (node) => caption(hass, this.graph!, node, answer.dimensions),
        onPin: this.pin,
        onHover: (id) => (this.hovered = id),
        onReach: (id) => (this.reached = id),
      })}
      <p class=${classMap({ caption: true, secondary: true })} aria-live="polite">
        ${caption(hass, this.graph, isolated(this.graph, chosen) ? chosen : null, answer.dimensions).shown}
        ${chosen ? nothing : html`<span class="hint">${t("map.hint")}</span>`}
      </p>
    `;
  }

  private columnChoice<T extends Middle | End>(which: "middle" | "end", values: readonly T[], current: string) {
    const t = localizer(this.hass);
    return html`<select
      class=${classMap({ column: true, [which]: true })}
      aria-label=${t(which === "middle" ? "map.column.middle" : "map.column.end")}
      @change=${(event: Event) => this.chooseColumn(which, (event.target as HTMLSelectElement).value as T)}
    >
      ${values.map(
        (value) =>
          html`<option value=${value} ?selected=${value === current}>${t(`map.column.${value}` as Key)}</option>`,
      )}
    </select>`;
  }

  private choosePeriod(period: Period): void {
    this.period = period;
    this.ask();
  }

  private chooseColumn(which: "middle" | "end", value: Middle | End): void {
    if (which === "middle") this.middle = value as Middle;
    else this.end = value as End;
    // Its nodes are others now
    this.pinned = this.hovered = null;
    this.ask();
  }

  private readonly pin = (id: string | null): void => {
    this.pinned = this.pinned === id ? null : id;
    this.hovered = null;
    if (id && this.graph?.columns.flat().some((node) => node.id === id)) this.reached = id;
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && this.pinned) {
      event.stopPropagation();
      this.pinned = this.hovered = null;
      return;
    }
    const origin = (event.composedPath()[0] as HTMLElement | undefined)?.dataset?.["node"];
    const next = origin && this.graph ? neighbour(this.graph, origin, event.key) : undefined;
    if (next === undefined) return;
    event.preventDefault();
    this.reached = next;
    void this.updateComplete.then(() => {
      const all = this.renderRoot.querySelectorAll<HTMLElement>("[data-node]");
      [...all].find(({ dataset }) => dataset["node"] === next)?.focus();
    });
  };

  static override styles = [card, flowMapStyles];
}

const STEPS: Record<string, [column: number, place: number]> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

/** Return the node that an arrow leads to from another one, or undefined where there is none. */
function neighbour({ columns }: Graph, from: string, key: string): string | undefined {
  const step = STEPS[key];
  const column = columns.findIndex((nodes) => nodes.some(({ id }) => id === from));
  if (!step || column < 0) return undefined;
  const place = columns[column]!.findIndex(({ id }) => id === from);
  const nodes = columns[column + step[0]];
  return nodes?.[step[0] ? Math.min(place, nodes.length - 1) : place + step[1]]?.id;
}
