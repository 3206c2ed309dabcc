// Ctrl-C: the first lets a training end between two steps, so that it can be kept; a second ends at once.
import { INTERRUPTED, Interruption } from "./errors.ts";

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Signals end the program again. */
  release(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export function listen(): Interrupt {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort(new Interruption("interrupted."));
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  return {
    signal: controller.signal,
    release() {
      for (const signal of SIGNALS) process.off(signal, stop);
    },
  };
}

/** Work that cannot be told to stop is left alone. Errors: its own; the signal's reason. */
export function untilStopped<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, stopped]);
}
