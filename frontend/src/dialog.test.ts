// The question: it is answered by who has read it, not by a key held down or the second click of a double one.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { all, one, placed, settled } from "../test/elements.js";
import { home } from "../test/home.js";
import { HearthwallConfirm } from "./dialog.js";

let confirm: HearthwallConfirm;
let act: ReturnType<typeof vi.fn<() => Promise<void>>>;

const button = (type: string) => one<HTMLButtonElement>(confirm, `dialog[open] button[type=${type}]`);
const open = () => all(confirm, "dialog[open]").length > 0;

async function ask(danger = true): Promise<void> {
  void confirm.ask({ title: "Quarantine?", text: "All its traffic", confirm: "Quarantine", danger, act });
  await settled(confirm);
}

async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
  await settled(confirm);
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  HearthwallConfirm.patienceMs = 500;
  act = vi.fn(async () => undefined);
  confirm = await placed<HearthwallConfirm>("hearthwall-confirm", { hass: home() });
});
afterEach(() => {
  HearthwallConfirm.patienceMs = 0;
  vi.useRealTimers();
  document.body.replaceChildren();
});

describe("a question", () => {
  it.each([true, false])("has the focus on the answer that does nothing (danger: %s)", async (danger) => {
    await ask(danger);
    await settled(confirm);
    expect(all(confirm, "[autofocus]")).toEqual([button("button")]);
  });

  it("takes no answer at once, whatever way it comes", async () => {
    await ask();
    await settled(confirm);
    await pass(450);
    button("submit").click();
    one(confirm, "dialog[open] form").dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
    one(confirm, "dialog[open]").click();
    await settled(confirm);
    expect([act.mock.calls.length, open()]).toEqual([0, true]);
    await pass(60);
    button("submit").click();
    await settled(confirm);
    expect([act.mock.calls.length, open()]).toEqual([1, false]);
  });

  it("waits anew when it is asked again", async () => {
    await ask();
    await pass(450);
    await ask();
    await pass(450);
    button("submit").click();
    expect(act).not.toHaveBeenCalled();
  });

  it.each(["Enter", " "])("does not take a key held down for an answer: %o", async (key) => {
    await ask();
    await pass(600);
    const held = (repeat: boolean) => {
      const event = new KeyboardEvent("keydown", { key, repeat, bubbles: true, composed: true, cancelable: true });
      button("submit").dispatchEvent(event);
      return event.defaultPrevented;
    };
    expect([held(true), held(false)]).toEqual([true, false]);
  });

  it("is closed by a click beside it", async () => {
    await ask();
    await pass(600);
    one(confirm, "dialog[open]").click();
    await settled(confirm);
    expect([act.mock.calls.length, open()]).toEqual([0, false]);
  });
});
