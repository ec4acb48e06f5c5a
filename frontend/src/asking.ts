// A question, the order that follows it, and what is said of it with its way back.

import type { HearthwallConfirm, Question } from "./dialog.js";
import type { HomeAssistant } from "./hass.js";
import type { HearthwallNotice } from "./notice.js";
import type { Undo } from "./orders.js";

/** Where is asked and told. */
export interface Asking {
  hass: HomeAssistant;
  confirm: HearthwallConfirm;
  notice: HearthwallNotice;
  /** What is done after each order, and after it was undone. */
  after?: (() => unknown) | undefined;
}

export interface OrderQuestion extends Question {
  /** Return the way back, if there is one. */
  act: (choice: string) => Promise<Undo | undefined>;
}

/** Ask; if it was done, say `told` and offer the way back, of which `undone` hears. Return whether it was done. */
export async function askOrder(
  { confirm, notice, after }: Asking,
  question: OrderQuestion,
  told: string,
  undone?: () => void,
): Promise<boolean> {
  let undo: Undo | undefined;
  const done = await confirm.ask({ ...question, act: async (choice) => (undo = await question.act(choice)) });
  if (!done) return false;
  notice.show(
    told,
    undo &&
      (async () => {
        await undo?.();
        undone?.();
        await after?.();
      }),
  );
  await after?.();
  return true;
}
