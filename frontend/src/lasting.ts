// A subscription that outlives everything: lost connections, and restarts of Home Assistant.

import type { Connection, Unsubscribe } from "./hass.js";

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;

export interface Heard<T> {
  message(message: T): void;
  /** The command was accepted; what follows is of now. */
  up?(): void;
  /** Home Assistant is out of reach. */
  down?(): void;
  /** The command was refused; it is tried again. */
  refused?(error: unknown): void;
}

const forget = (unsubscribe: Unsubscribe | undefined): void => {
  // Over a lost connection there is nobody to tell
  if (unsubscribe) void Promise.resolve(unsubscribe()).catch(() => undefined);
};

/**
 * Subscribe, again and again until it works, and anew after each loss of the connection; return how to end it.
 *
 * The connection could subscribe again by itself, but only once: after a restart Home Assistant takes connections
 * before it has loaded the integration, refuses the command, and a card would stay as it is for ever.
 */
export function subscribeLasting<T>(
  connection: Connection,
  message: Record<string, unknown> & { type: string },
  heard: Heard<T>,
): () => void {
  /** Grows with each attempt: what an older one still says counts no more. */
  let attempt = 0;
  let pause = FIRST_RETRY_MS;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let unsubscribe: Unsubscribe | undefined;

  const drop = () => {
    attempt++;
    clearTimeout(retry);
    const last = unsubscribe;
    unsubscribe = undefined;
    return last;
  };

  const subscribe = async (): Promise<void> => {
    const mine = ++attempt;
    try {
      const end = await connection.subscribeMessage<T>(
        (each) => mine === attempt && heard.message(each),
        message,
        { resubscribe: false },
      );
      if (mine !== attempt) return forget(end);
      unsubscribe = end;
      pause = FIRST_RETRY_MS;
      heard.up?.();
    } catch (error) {
      if (mine !== attempt) return;
      retry = setTimeout(() => void subscribe(), pause);
      pause = Math.min(pause * 2, LAST_RETRY_MS);
      heard.refused?.(error);
    }
  };

  const onReady = () => {
    forget(drop());
    pause = FIRST_RETRY_MS;
    void subscribe();
  };
  const onDisconnected = () => {
    drop();
    heard.down?.();
  };

  connection.addEventListener("ready", onReady);
  connection.addEventListener("disconnected", onDisconnected);
  if (connection.connected === false) onDisconnected();
  else void subscribe();
  return () => {
    connection.removeEventListener("ready", onReady);
    connection.removeEventListener("disconnected", onDisconnected);
    forget(drop());
  };
}
