// The parts of the device view, one below the other.

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { item, type ItemView } from "../events/item.js";
import { keyOf } from "../events/timeline.js";
import { formatBytes, formatCountry, formatPercent } from "../format.js";
import type { HomeAssistant } from "../hass.js";
import { localizer } from "../localize.js";
import type { Acceptance, Block, Event, ProfileReport, Usage, UsageRow } from "../messages.js";
import { droppedOf, leftOf, modeOf, sinceOf } from "../rules/words.js";
import { profileSentences } from "./profile.js";

const section = (title: string, content: unknown, id = "") =>
  html`<section id=${id || nothing}>
    <h3>${title}</h3>
    ${content}
  </section>`;

const none = (text: string) => html`<p class="secondary">${text}</p>`;

const moved = (row: Pick<UsageRow, "download_bytes" | "upload_bytes">) => row.download_bytes + row.upload_bytes;

/** Multicast, broadcast and link-local addresses: nobody in particular, and nothing that could be cut off. */
const EVERYBODY = /^(ff[0-9a-f]{2}:|fe80:|(22[4-9]|23\d|255|169\.254)\.[\d.]+$)/i;
/** Addresses and names of the home itself, the gateway's among them: who is there is quarantined, not blocked. */
const AT_HOME =
  /^((10|127|192\.168|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$|f[cd][0-9a-f]{2}:|::1$)|(^|\.)(localhost|local|lan|home|internal|home\.arpa)\.?$/i;

/** Return the network that an IPv6 address is in, as its first 64 bits; undefined for what is none. */
function networkOf(address: string): string | undefined {
  if (!/^[0-9a-f:]+$/i.test(address) || !address.includes(":")) return undefined;
  const [head = "", tail] = address.split("::");
  const before = head ? head.split(":") : [];
  const after = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array<string>(zeros).fill("0"), ...after].slice(0, 4).map((part) => parseInt(part, 16)).join(":");
}

/** Whether a peer is at home: one of its devices, or in a network that one is in, as the gateway itself. */
function isAtHome(peer: string, home: ReadonlySet<string>): boolean {
  if (AT_HOME.test(peer) || home.has(peer)) return true;
  const network = networkOf(peer);
  return network !== undefined && [...home].some((address) => networkOf(address) === network);
}

/** Return the rows with all that goes to nobody in particular as one, which has no peer. */
function joined(rows: readonly UsageRow[]): { peers: UsageRow[]; everybody: UsageRow | undefined } {
  const isEverybody = ({ peer }: UsageRow) => EVERYBODY.test(peer ?? "");
  const those = rows.filter(isEverybody);
  const sum = (key: "upload_bytes" | "download_bytes" | "flows") => those.reduce((all, row) => all + row[key], 0);
  return {
    peers: rows.filter((row) => !isEverybody(row)),
    everybody: those.length
      ? { peer: null, upload_bytes: sum("upload_bytes"), download_bytes: sum("download_bytes"), flows: sum("flows") }
      : undefined,
  };
}

export interface PeerActions {
  /** The gateway's rules, by what they are on. */
  rules: ReadonlyMap<string, Block>;
  /** Addresses of the home's own devices, which are quarantined rather than blocked for what others do to them. */
  home: ReadonlySet<string>;
  /** Not there where the sensor takes no orders, as below. */
  block: ((peer: string) => void) | undefined;
  release: ((block: Block) => void) | undefined;
}

/** Whom the device talks to, with each peer's share of all that it moved. */
export function peersSection(hass: HomeAssistant, usage: Usage, { rules, home, block, release }: PeerActions) {
  const t = localizer(hass);
  const all = Math.max(1, moved(usage));
  const { peers, everybody } = joined(usage.rows);
  const rest = all - usage.rows.reduce((sum, row) => sum + moved(row), 0);
  const bar = (share: number) => html`<div class="bar"><div style="width: ${(share * 100).toFixed(1)}%"></div></div>`;
  const peer = (row: UsageRow) => {
    const name = row.peer ?? t("common.unknown");
    const rule = rules.get(name);
    return html`<li>
      <div class="line">
        <span class="cut grow" title=${name}>${name}</span>
        <span class="secondary">${row.country ? formatCountry(hass, row.country) : nothing}</span>
        <span class="figure" title="↓ ${formatBytes(hass, row.download_bytes)} ↑ ${formatBytes(hass, row.upload_bytes)}">
          ${formatBytes(hass, moved(row))}
        </span>
        <span class="figure share secondary">${formatPercent(hass, moved(row) / all)}</span>
        <span>
          ${block && release && row.peer && (rule || !isAtHome(row.peer, home))
            ? html`<button
                class="quiet"
                aria-label=${t(rule ? "device.release_peer" : "events.block.peer", { peer: name })}
                @click=${() => (rule ? release(rule) : block(name))}
              >
                ${t(rule ? "device.unblock" : "events.block")}
              </button>`
            : nothing}
        </span>
      </div>
      ${bar(moved(row) / all)}
    </li>`;
  };
  const others = (name: string, bytes: number) => html`<li>
    <div class="line">
      <span class="grow secondary">${name}</span>
      <span></span>
      <span class="figure">${formatBytes(hass, bytes)}</span>
      <span class="figure share secondary">${formatPercent(hass, bytes / all)}</span>
      <span></span>
    </div>
    ${bar(bytes / all)}
  </li>`;
  return section(
    t("device.peers"),
    usage.rows.length
      ? html`<ul class="peers">
          ${repeat(peers, (row) => `${row.peer} ${row.country}`, peer)}
          ${everybody ? others(t("device.peers_everybody"), moved(everybody)) : nothing}
          ${rest / all >= 0.005 ? others(t("device.peers_rest"), rest) : nothing}
        </ul>`
      : none(t("device.peers_none")),
  );
}

export function eventsSection(hass: HomeAssistant, events: readonly Event[], viewOf: (event: Event) => ItemView) {
  const t = localizer(hass);
  return section(
    t("device.events"),
    events.length
      ? html`<ul class="events">
          ${repeat(events, keyOf, (event) => item(event, viewOf(event)))}
        </ul>`
      : none(t("device.events_none")),
    "events",
  );
}

export function blocksSection(hass: HomeAssistant, blocks: readonly Block[], release?: (block: Block) => void) {
  const t = localizer(hass);
  const now = Date.now() / 1000;
  const one = (block: Block) => {
    const left = leftOf(hass, block, now);
    return html`<li class="rule">
      <div class="grow">
        <div class="line">
          <b class="cut grow">${modeOf(hass, block)}</b>
          ${left === undefined ? nothing : html`<span class="figure" role="timer">${left}</span>`}
          ${release ? html`<button class="quiet" @click=${() => release(block)}>${t("rules.end")}</button>` : nothing}
        </div>
        <div class="secondary wrap">${sinceOf(hass, block)}</div>
        <div class="secondary wrap">${droppedOf(hass, block, now)}</div>
      </div>
    </li>`;
  };
  return section(
    t("device.blocks"),
    blocks.length ? html`<ul>${repeat(blocks, ({ id }) => id, one)}</ul>` : none(t("device.blocks_none")),
  );
}

export function profileSection(hass: HomeAssistant, profile: ProfileReport) {
  const t = localizer(hass);
  return section(
    t("device.profile"),
    profileSentences(hass, profile).map((sentence) => html`<p class="wrap">${sentence}</p>`),
  );
}

export function acceptedSection(
  hass: HomeAssistant,
  accepted: readonly Acceptance[],
  revoke?: (acceptance: Acceptance) => void,
) {
  if (!accepted.length) return nothing;
  const t = localizer(hass);
  return section(
    t("device.accepted"),
    html`<ul>
      ${repeat(
        accepted,
        ({ id }) => id,
        (each) => html`<li>
          <div class="line">
            <span class="grow wrap secondary">${each.summary}</span>
            ${revoke ? html`<button class="quiet" @click=${() => revoke(each)}>${t("device.revoke")}</button>` : nothing}
          </div>
        </li>`,
      )}
    </ul>`,
  );
}
