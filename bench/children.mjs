// @ts-check
// Child processes that do not outlive this one: they are stopped when it exits, by itself or by SIGINT or SIGTERM.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { whenStopped } from "./stop.mjs";

/** @typedef {import("node:child_process").ChildProcess} ChildProcess */
/** @typedef {{ status: number | null, signal: NodeJS.Signals | null, error?: NodeJS.ErrnoException }} End */

/** @type {Set<ChildProcess>} */
const children = new Set();
/** @type {(signal: NodeJS.Signals) => void} */
let stop = (signal) => process.exit(128 + constants.signals[signal]);

process.on("exit", () => endChildren());
whenStopped((signal) => stop(signal));

/** What is done when this process is to end, in place of ending at once.
 *  @param {(signal: NodeJS.Signals) => void} task */
export function insteadOfEnding(task) {
  stop = task;
}

/** @param {NodeJS.Signals} [signal] */
export function endChildren(signal) {
  for (const child of children) child.kill(signal);
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

/** The same for what this process is there for: its exit code becomes ours. What would end this process ends that one,
 *  which says what it has, and then this one. @param {string} command @param {readonly string[]} args */
export async function handOver(command, ...args) {
  insteadOfEnding(endChildren);
  const { status, error } = await run(command, args);
  if (error) throw error;
  process.exitCode = status ?? 1;
}
