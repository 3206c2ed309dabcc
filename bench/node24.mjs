// @ts-check
// The Node of published figures: the one that runs, where it is new enough, or the one that test/runtimes installs.

import { UsageError } from "../scripts/usage.mjs";
import { nodePath } from "../test/runtimes/runtimes.mjs";

const MAJOR = 24;

/** Path of a Node 24 or newer. Errors: UsageError, when npm cannot install one.
 *  @param {string} [running] version of the Node that runs @param {(major: number) => string} [install] */
export function node24(running = process.versions.node, install = nodePath) {
  if (Number.parseInt(running, 10) >= MAJOR) return process.execPath;
  try {
    return install(MAJOR);
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new UsageError(
      `Expected Node ${MAJOR} or newer, received ${running}, and none could be installed: ${reason}.`,
    );
  }
}
