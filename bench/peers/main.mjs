// @ts-check
// `npm run bench:peers`: installs the peers into .cache/peers, bundles the contestants there (their imports resolve
// among the peers), and runs them on Node 24 or newer. Options: see options.mjs; `table` or `chart` as the first
// argument makes README's table (--write) or the chart from the results published last.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { run } from "../children.mjs";
import { compileControl } from "../compile.mjs";
import { parse, readTableOptions, UsageError } from "../options.mjs";
import { CACHE, installOpenBlas, installPeers } from "./install.mjs";
import { readPeerOptions } from "./options.mjs";

const NODE_MAJOR = 24;

/** contestant.ts finds the peers' workload where its own list would be. @type {import("esbuild").Plugin} */
const currentWorkload = {
  name: "current-workload",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/workloads\.ts$/ }, ({ importer, resolveDir }) =>
      importer.endsWith("contestant.ts") ? { path: join(resolveDir, "peers/current.ts") } : undefined,
    );
  },
};

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));
const [command, ...rest] = process.argv.slice(2);
try {
  await (command === "table" ? makeTable() : command === "chart" ? makeChart() : runBenchmarks());
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function makeTable() {
  readTableOptions(rest);
  await bundle();
  await runNode(process.execPath, `${CACHE}/table.mjs`, ...rest);
}

async function makeChart() {
  parse(rest, "no options of chart", {});
  await installPeers();
  await bundle();
  await runNode(process.execPath, `${CACHE}/chart.mjs`);
}

async function runBenchmarks() {
  const args = process.argv.slice(2);
  const { publish, from } = readPeerOptions(args);
  if (from === undefined) {
    const missing = await installPeers();
    if (publish && missing.length > 0)
      throw new UsageError(`Expected --publish with all peers installed, missing ${missing.join(", ")}: see above.`);
    await installOpenBlas();
    compileControls();
  }
  await bundle();
  await runNode(newNode(), `${CACHE}/run.mjs`, ...args);
}

async function bundle() {
  await build({
    entryPoints: {
      contestant: "bench/contestant.ts",
      run: "bench/peers/run.ts",
      table: "bench/peers/table.ts",
      chart: "bench/peers/chart.ts",
    },
    outdir: CACHE,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22",
    packages: "external",
    logLevel: "warning",
    plugins: [currentWorkload],
  });
}

/** The loops that measure the machine. */
function compileControls() {
  compileControl("control", `${CACHE}/control.wasm`, "simd");
  compileControl("control", `${CACHE}/control-relaxed.wasm`, "simd,relaxed-simd");
  compileControl("bandwidth", `${CACHE}/bandwidth.wasm`, "simd");
}

/** This Node, or the one among the peers. */
function newNode() {
  if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR) return process.execPath;
  const path = join(CACHE, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  if (existsSync(path)) return path;
  console.error(`Expected Node ${NODE_MAJOR} or newer, found ${process.versions.node}; jax-js may fail.`);
  return process.execPath;
}

/** @param {string} node @param {string[]} args */
async function runNode(node, ...args) {
  const { status } = await run(node, args);
  if (status !== 0) process.exit(status ?? 1);
}
