// The names of labels, which Home Assistant's frontend does not hand to cards.

import type { Connection, HomeAssistant, Label } from "./hass.js";

const asked = new WeakMap<Connection, Promise<readonly Label[]>>();

/** Return all labels; asked for once in a page, and again after a failure. */
export function labels({ connection, callWS }: HomeAssistant): Promise<readonly Label[]> {
  let answer = asked.get(connection);
  if (!answer) {
    answer = callWS<Label[]>({ type: "config/label_registry/list" });
    asked.set(connection, answer);
    answer.catch(() => asked.delete(connection));
  }
  return answer;
}
