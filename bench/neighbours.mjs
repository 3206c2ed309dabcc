// @ts-check
// `node bench/neighbours.mjs`: what two threads cost where others want the cores. A training step on one thread and on
// two, by turns and each in a fresh process, while a busy loop a core runs beside them. Ends with 1 when two threads
// take more than LIMIT times as long. Options: --rounds N (5).
import { once } from "node:events";
import { cpus } from "node:os";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { orUsage, parse, UsageError } from "../scripts/usage.mjs";
import { bundle } from "./bundle.mjs";
import { ended, start } from "./children.mjs";
import { compileControl } from "./compile.mjs";
import { median } from "./median.mjs";

const FOLDER = "build/bench";
const WORKLOAD = "step 784-512-256-10 batch 128";
const CONTESTANTS = /** @type {const} */ (["simdgrad", "simdgrad, 2 threads"]);
const MILLISECONDS = 1000;
const LIMIT = 1.5;
/** Ends by itself when its parent is gone without a word. */
const BUSY = `console.log(); const parent = process.ppid;
  while (process.ppid === parent) for (const start = Date.now(); Date.now() - start < 200; );`;

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
await orUsage(() => measure(readRounds()));

function readRounds() {
  const { rounds: text = "5" } = parse(process.argv.slice(2), "--rounds N", { rounds: { type: "string" } });
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds > 0) return rounds;
  throw new UsageError(`Expected --rounds to be a whole number from 1, received ${text}.`);
}

/** @param {number} rounds */
async function measure(rounds) {
  await prepare();
  const neighbours = cpus().map(() => start(process.execPath, ["-e", BUSY], { stdio: ["ignore", "pipe", "inherit"] }));
  await Promise.all(neighbours.map(({ stdout }) => stdout && once(stdout, "data")));
  /** @type {number[][]} */
  const times = CONTESTANTS.map(() => []);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const i of order) {
      times[i].push(await stepTime(CONTESTANTS[i]));
      console.error(`round ${round + 1} of ${rounds}: ${CONTESTANTS[i]}, ${times[i][round].toFixed(1)} ms`);
    }
  }
  for (const neighbour of neighbours) neighbour.kill();
  report(times.map(median), neighbours.length);
}

async function prepare() {
  await bundle(["bench/contestant.ts"], FOLDER);
  compileControl("control", `${FOLDER}/control.wasm`, "simd");
}

/** Milliseconds. @param {string} contestant */
async function stepTime(contestant) {
  const args = [`${FOLDER}/contestant.mjs`, WORKLOAD, contestant, String(MILLISECONDS)];
  const child = start(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [{ status, signal }, output] = await Promise.all([ended(child), child.stdout ? text(child.stdout) : ""]);
  if (status !== 0) throw new Error(`${contestant} ended with ${signal ?? status}.`);
  return 1000 / JSON.parse(output).rate;
}

/** @param {number[]} medians @param {number} neighbours */
function report([one, two], neighbours) {
  const ratio = two / one;
  console.log(
    `${WORKLOAD} beside ${neighbours} busy loops, Node ${process.versions.node}: ${one.toFixed(1)} ms on one thread, ` +
      `${two.toFixed(1)} ms on two (medians), ${ratio.toFixed(2)} times as long; at most ${LIMIT}.`,
  );
  if (ratio > LIMIT) process.exitCode = 1;
}
