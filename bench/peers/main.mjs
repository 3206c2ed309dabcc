// @ts-check
// `npm run bench:peers`: installs the peers into .cache/peers, bundles the contestants there, and runs them on Node 24
// or newer. Options: see options.mjs; `table` or `chart` as the first argument makes README's table (--write) or the
// chart from the results published last.
import { fileURLToPath } from "node:url";
import { orUsage, parse, UsageError } from "../../scripts/usage.mjs";
import { importBundle } from "../bundle.mjs";
import { handOver } from "../children.mjs";
import { compileControl } from "../compile.mjs";
import { node24 } from "../node24.mjs";
import { readTableOptions } from "../options.mjs";
import { bundlePeers } from "./bundle.mjs";
import { CACHE, installOpenBlas, installPeers } from "./install.mjs";
import { choosePairs, readPeerOptions } from "./options.mjs";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));
const [command, ...rest] = process.argv.slice(2);
await orUsage(() => (command === "table" ? makeTable() : command === "chart" ? makeChart() : runBenchmarks()));

async function makeTable() {
  readTableOptions(rest);
  await bundlePeers(CACHE);
  await handOver(process.execPath, `${CACHE}/table.mjs`, ...rest);
}

async function makeChart() {
  parse(rest, "no options of chart", {});
  await installPeers();
  await bundlePeers(CACHE);
  await handOver(process.execPath, `${CACHE}/chart.mjs`);
}

async function runBenchmarks() {
  const args = process.argv.slice(2);
  const options = readPeerOptions(args);
  await bundlePeers(CACHE);
  const node = options.from === undefined ? await prepare(options) : process.execPath;
  await handOver(node, `${CACHE}/run.mjs`, ...args);
}

/** Path of the Node that measures. @param {import("./options.mjs").PeerOptions} options */
async function prepare(options) {
  const { publish } = options;
  choosePairs(options, await importBundle(`${CACHE}/lists.mjs`));
  const node = newNode(publish);
  const missing = await installPeers();
  if (publish && missing.length > 0)
    throw new UsageError(`Expected --publish with all peers installed, missing ${missing.join(", ")}: see above.`);
  await installOpenBlas();
  compileControls();
  return node;
}

/** The loops that measure the machine. */
function compileControls() {
  compileControl("control", `${CACHE}/control.wasm`, "simd");
  compileControl("control", `${CACHE}/control-relaxed.wasm`, "simd,relaxed-simd");
  compileControl("bandwidth", `${CACHE}/bandwidth.wasm`, "simd");
}

/** Node 24 or newer; where there is none this one, whose results are not published. Errors: UsageError, to publish.
 *  @param {boolean} publish */
function newNode(publish) {
  try {
    return node24();
  } catch (error) {
    if (publish || !(error instanceof UsageError)) throw error;
    console.error(`${error.message} Goes on with this one; jax-js may fail.`);
    return process.execPath;
  }
}
