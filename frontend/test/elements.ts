// Elements in a page of their own, as Home Assistant puts them there.

import { deviceElements } from "../src/device/index.js";
import { HearthwallDevicesCard } from "../src/devices/card.js";
import { HearthwallDeviceRow } from "../src/devices/row.js";
import { gatewayElements } from "../src/gateway/index.js";
import { HearthwallConfirm } from "../src/dialog.js";
import { HearthwallNotice } from "../src/notice.js";
import { rulesElements } from "../src/rules/index.js";
import { HearthwallBadge } from "../src/small/badge.js";
import { HearthwallQuarantineFeature } from "../src/small/quarantine-feature.js";
import { HearthwallSparkline } from "../src/sparkline.js";
import { settle } from "./home.js";

for (const [name, element] of Object.entries({
  "hearthwall-confirm": HearthwallConfirm,
  "hearthwall-notice": HearthwallNotice,
  "hearthwall-sparkline": HearthwallSparkline,
  "hearthwall-devices-card": HearthwallDevicesCard,
  "hearthwall-device-row": HearthwallDeviceRow,
  ...deviceElements,
  ...rulesElements,
  ...gatewayElements,
  "hearthwall-badge": HearthwallBadge,
  "hearthwall-quarantine-feature": HearthwallQuarantineFeature,
})) {
  customElements.define(name, element);
}

// A person takes a while; whether that is asked for is a test of its own
HearthwallConfirm.patienceMs = 0;

/** Put an element into the page, with these properties. */
export async function placed<T extends HTMLElement>(name: string, fields: object): Promise<T> {
  const element = Object.assign(document.createElement(name), fields) as T;
  document.body.append(element);
  await settled(element);
  return element;
}

/** Wait until an element and all below it are drawn. */
export async function settled(element: Element): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await settle();
    for (const each of below(element)) await (each as { updateComplete?: Promise<unknown> }).updateComplete;
  }
}

/** Yield an element and all below it, through shadow roots. */
export function* below(root: Element | ShadowRoot): Iterable<Element> {
  if (root instanceof Element) {
    yield root;
    if (root.shadowRoot) yield* below(root.shadowRoot);
  }
  for (const child of root.children) yield* below(child);
}

export const all = (root: Element, selector: string): Element[] => [...below(root)].filter((each) => each.matches(selector));

export function one<T extends Element = HTMLElement>(root: Element, selector: string): T {
  const [found, second] = all(root, selector);
  if (!found || second) throw new Error(`${found ? "Several" : "No"} ${selector}`);
  return found as T;
}

/** Return what a person reads. */
export const text = (root: Element): string =>
  [...below(root)]
    .filter((each) => each.localName !== "style")
    .flatMap((each) => [...each.childNodes, ...(each.shadowRoot?.childNodes ?? [])])
    .filter((node) => node.nodeType === Node.TEXT_NODE)
    .map((node) => node.textContent?.trim())
    .filter(Boolean)
    .join(" ")
    .replace(/\s+/g, " ");
