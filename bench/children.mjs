// @ts-check
// Child processes that do not outlive this one: they are stopped when it exits, by itself or by SIGINT or SIGTERM.
import { spawn } from "node:child_process";
import { constants } from "node:os";

/** @typedef {import("node:child_process").ChildProcess} ChildProcess */
/** @typedef {{ status: number | null, signal: NodeJS.Signals | null, error?: NodeJS.ErrnoException }} End */

/** @type {Set<ChildProcess>} */
const children = new Set();

process.on("exit", () => {
  for (const child of children) child.kill();
});
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

// npm gives its signal to a shell, which ends without passing it on: then this process has another parent.
if (process.env.npm_lifecycle_event) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(128 + constants.signals.SIGTERM);
  }, 500).unref();
}

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
