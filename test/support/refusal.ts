import { UsageError } from "../../scripts/usage.mjs";

/** What a benchmark says of wrong use; nothing where it takes it. */
export function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "";
}
