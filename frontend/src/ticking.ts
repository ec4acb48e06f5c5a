// Once a second, for what changes with the clock alone: countdowns and sparklines.

import type { ReactiveController, ReactiveControllerHost } from "lit";

const ticking = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  // A page in the background is drawn when it is looked at again
  if (document.visibilityState !== "hidden") for (const one of ticking) one();
}

function every(callback: () => void): () => void {
  ticking.add(callback);
  timer ??= setInterval(tick, 1000);
  return () => {
    ticking.delete(callback);
    if (!ticking.size) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

const seen = new WeakMap<Element, (visible: boolean) => void>();
/** One observer for all: each costs more than what it watches. */
const observer =
  typeof IntersectionObserver === "undefined"
    ? undefined
    : new IntersectionObserver(
        (entries) => entries.forEach(({ target, isIntersecting }) => seen.get(target)?.(isIntersecting)),
        { rootMargin: "100px" },
      );

/** Renders an element once a second while it can be seen and wants it. */
export class Ticking implements ReactiveController {
  private end: (() => void) | undefined;
  private visible = !observer;

  constructor(
    private readonly host: ReactiveControllerHost & Element,
    private readonly wanted: () => boolean = () => true,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    seen.set(this.host, (visible) => {
      this.visible = visible;
      if (visible) this.host.requestUpdate();
    });
    observer?.observe(this.host);
    this.end = every(() => this.visible && this.wanted() && this.host.requestUpdate());
  }

  hostDisconnected(): void {
    observer?.unobserve(this.host);
    this.end?.();
  }
}
