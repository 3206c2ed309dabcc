// Why a contestant has no figure.
import type { End } from "./children.mjs";

/** A contestant whose results are wrong, that could not be installed, does not run, or takes too long. */
export class ContestantError extends Error {}

/** How its process ended, and the line of its messages that names the error, without this machine's paths. */
export function describeEnd({ status, signal }: Pick<End, "status" | "signal">, messages: string): string {
  const lines = messages.trim().split("\n");
  const named = lines.find((line) => /^(\w*Error\b|FATAL ERROR)/.test(line)) ?? lines.at(-1) ?? "";
  const message = named
    .replace(/ imported from .*/, "")
    .replaceAll(process.cwd(), "")
    .slice(0, 160);
  if (signal) return [`ended by ${signal}`, message].filter(Boolean).join(": ");
  return message || `ended with status ${status} and no message`;
}
