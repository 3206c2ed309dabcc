// @ts-check
// The command lines of this repository's own programs: options, the page that --help asks for, and one line about what
// is wrong.
import { parseArgs } from "node:util";

/** What the caller got wrong, in one line. */
export class UsageError extends Error {}

/** What the caller asked for: --help. */
class Help extends Error {}

/** What `options` say of `args`, read before anything is built, installed or done; `known` names them all to who got
 *  them wrong, `help` is the whole page. Errors: UsageError; Help, for `orUsage`.
 *  @template {NonNullable<import("node:util").ParseArgsConfig["options"]>} T
 *  @param {string[]} args @param {string} known @param {T} options @param {string} [help] */
export function parse(args, known, options, help = `Options: ${known}`) {
  if (args.includes("--help") || args.includes("-h")) throw new Help(help);
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    // Its first sentence names what was received.
    const [received] = (error instanceof Error ? error.message : String(error)).split(/\.\s/);
    throw new UsageError(`Expected ${known}, received: ${received.replace(/\.$/, "")}.`);
  }
}

/** Runs it; help is printed, and what the caller got wrong, or must decide, is said in one line.
 *  @template T @param {() => T | Promise<T>} task @returns {Promise<T | undefined>} */
export async function orUsage(task) {
  try {
    return await task();
  } catch (error) {
    if (error instanceof Help) {
      console.log(error.message);
    } else if (error instanceof UsageError) {
      console.error(error.message);
      process.exitCode = 2;
    } else throw error;
  }
}

/** The same for what the program cannot go on without. @template T @param {() => T | Promise<T>} task
 *  @returns {Promise<T & {}>} */
export async function orExit(task) {
  return (await orUsage(task)) ?? process.exit();
}
