// @ts-check
// The Node of published figures: the one that runs, where it is new enough, or the one that test/runtimes installs.
import { nodePath } from "../test/runtimes/runtimes.mjs";

const MAJOR = 24;

/** Path of a Node 24 or newer. Errors: when npm cannot install one. */
export function node24() {
  return Number.parseInt(process.versions.node, 10) >= MAJOR ? process.execPath : nodePath(MAJOR);
}
