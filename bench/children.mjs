// @ts-check
// Child processes that do not outlive this one: they are stopped when it exits, by itself or by SIGINT or SIGTERM.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { whenStopped } from "./stop.mjs";

/** @typedef {import("node:child_process").ChildProcess} ChildProcess */
/** @typedef {{ status: number | null, signal: NodeJS.Signals | null, error?: NodeJS.ErrnoException }} End */

/** @type {Set<ChildProcess>} */
const children = new Set();

process.on("exit", () => {
  for (const child of children) child.kill();
});
whenStopped((signal) => process.exit(128 + constants.signals[signal]));

/** @param {string} command @param {readonly string[]} args @param {import("node:child_process").SpawnOptions} options */
export function start(command, args, options) {
  const child = spawn(command, args, options);
  children.add(child);
  const forget = () => children.delete(child);
  return child.on("close", forget).on("error", forget);
}

/** How the child ended; `error` when it could not start.
 *  @param {ChildProcess} child @returns {Promise<End>} */
export function ended(child) {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ status: null, signal: null, error }));
    child.once("close", (status, signal) => resolve({ status, signal }));
  });
}

/** On this terminal, to its end. @param {string} command @param {readonly string[]} args
 *  @param {import("node:child_process").SpawnOptions} [options] @returns {Promise<End>} */
export function run(command, args, options) {
  return ended(start(command, args, { stdio: "inherit", ...options }));
}
