// What ends a command: wrong usage, and the user's interruption; all else is a failure. How shells quote.

/** Exit codes: 0, or one of these. */
export const FAILED = 1;
export const USAGE = 2;
export const INTERRUPTED = 130;

/** A command line that cannot run. */
export class UsageError extends Error {}

/** The work cannot be done, for a reason that the user can read. */
export class CommandError extends Error {}

/** Ctrl-C, or another program's wish that this one ends. The message says how to go on. */
export class Interruption extends Error {}

/** As a shell reads it. */
export function forShell(word: string): string {
  return /^[\w./~,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
