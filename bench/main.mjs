// @ts-check
// `npm run bench`: bundles bench/*.ts and the kernels into build/bench, compiles the control loop, runs the benchmarks
// (run.ts, options in options.mjs). `table` as the first argument makes README's table from the last published results
// instead, with --write within README.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { orUsage } from "../scripts/usage.mjs";
import { bundle, importBundle } from "./bundle.mjs";
import { handOver } from "./children.mjs";
import { compileControl } from "./compile.mjs";
import { node24 } from "./node24.mjs";
import { choose, readOptions, readTableOptions } from "./options.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const [command, ...rest] = process.argv.slice(2);

await orUsage(() => (command === "table" ? makeTable() : runBenchmarks()));

async function makeTable() {
  readTableOptions(rest);
  await bundleAll();
  await handOver(process.execPath, "build/bench/table.mjs", ...rest);
}

async function runBenchmarks() {
  const args = process.argv.slice(2);
  const options = readOptions(args);
  await bundleAll();
  const node = options.from === undefined ? await prepare(options) : process.execPath;
  await handOver(node, "build/bench/run.mjs", ...args);
}

/** Path of the Node that measures. @param {import("./options.mjs").Options} options */
async function prepare({ only, publish, node24: wantsNode24 }) {
  const { workloads } = await importBundle("build/bench/workloads.mjs");
  choose("--only", workloads, only);
  const node = publish || wantsNode24 ? node24() : process.execPath;
  compileControl("control", "build/bench/control.wasm", "simd");
  compileControl("control", "build/bench/control-relaxed.wasm", "simd,relaxed-simd");
  return node;
}

async function bundleAll() {
  const versions = ["simdgrad", "tinybench", "assemblyscript"].map((name) => [name, version(name)]);
  const entries = ["run", "contestant", "table", "first-step", "workloads"].map((name) => `bench/${name}.ts`);
  await bundle(entries, "build/bench", { define: { VERSIONS: JSON.stringify(Object.fromEntries(versions)) } });
}

/** @param {string} name */
function version(name) {
  return JSON.parse(readFileSync(name === "simdgrad" ? "package.json" : `node_modules/${name}/package.json`, "utf8"))
    .version;
}
