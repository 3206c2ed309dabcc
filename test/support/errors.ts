// Errors of ours that calls are to come to, and what provokes them.
import { expect } from "vitest";
import { SimdgradError } from "../../src/index.ts";

/** What users of plain JavaScript may pass. */
// biome-ignore lint/suspicious/noExplicitAny: the point is to pass what the types forbid.
export const wrong = (value: unknown): any => value;

/** The error that a call throws. */
export function errorOf(call: () => unknown): SimdgradError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(SimdgradError);
    return error as SimdgradError;
  }
  throw new Error("Expected an error, there was none.");
}

/** The error that a call throws or its promise comes to. */
export async function rejectionOf(call: () => unknown): Promise<SimdgradError> {
  const [result] = await Promise.allSettled([Promise.resolve().then(call)]);
  return errorOf(() => {
    if (result.status === "rejected") throw result.reason;
  });
}
