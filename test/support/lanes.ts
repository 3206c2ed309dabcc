// Calls that must run on all lanes, for tests that would prove nothing on one.
import { setTimeout as pause } from "node:timers/promises";
import { expect, vi } from "vitest";
import { Lanes } from "../../src/runtime/lanes.ts";

/** For whole tests: the lanes share the cores with whatever else is running. Units: ms. */
export const BUSY = 300_000;
/** For one call. Units: ms. */
const PATIENCE = 100_000;

/** Busy cores would make one lane take over. */
export function neverAlone(): void {
  vi.spyOn(Lanes.prototype as unknown as { weigh(): void }, "weigh").mockImplementation(() => undefined);
}

/** How many lists ran on all lanes since. */
export function countShared(): () => number {
  // A spy that is there already has its own count.
  const { calls } = vi.spyOn(Lanes.prototype, "run").mock;
  const before = calls.length;
  return () => calls.length - before;
}

/** Makes a call, each time after `prepare`, until it ran on all lanes so many times: lanes start, and read new lists, on
 *  their own time, and until then one lane does all. */
export async function untilShared(
  call: () => unknown,
  times: number = 1,
  prepare: () => unknown = () => undefined,
): Promise<void> {
  const end = performance.now() + PATIENCE;
  for (let shared = 0; shared < times; await pause(5)) {
    expect(performance.now(), `${shared} of ${times} calls ran on all lanes`).toBeLessThan(end);
    prepare();
    const ran = countShared();
    await call();
    if (ran() > 0) shared++;
  }
}
