// @ts-check
// `npm run bench:peers`: installs the peers of package.json beside this file into .cache/peers, bundles the
// contestants there (their imports resolve among the peers), and runs them on Node 24 or newer.
// Arguments go on to run.ts; `table` or `chart` as the first one
// makes README's table (--write) or the chart from the results published last.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const CACHE = ".cache/peers";
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
if (command !== "table") install();
await bundle();
if (command === "table" || command === "chart") {
  run(process.execPath, `${CACHE}/${command}.mjs`, ...rest);
} else {
  copyControls();
  run(newNode(), `${CACHE}/run.mjs`, ...process.argv.slice(2));
}

/** Optional packages: those that cannot be installed here are left out. Install scripts do not run. */
function install() {
  const places = ["package.json", "package-lock.json"].map((name) => [`bench/peers/${name}`, join(CACHE, name)]);
  if (existsSync(join(CACHE, "node_modules")) && places.every(([from, to]) => read(from) === read(to))) return;
  console.log(`npm ci in ${CACHE}`);
  mkdirSync(CACHE, { recursive: true });
  for (const [from, to] of places) copyFileSync(from, to);
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = spawnSync("npm", args, { cwd: CACHE, stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) console.error("npm ci failed: only those without packages can compete.");
  installOpenBlas();
}

/** OpenBLAS for Debian's PyTorch, unpacked beside the peers; elsewhere PyTorch takes what it has. */
function installOpenBlas() {
  if (process.platform !== "linux") return;
  const script = `rm -rf blas && mkdir blas && cd blas && apt-get download libopenblas0-pthread &&
    dpkg -x libopenblas0-pthread_*.deb . && rm -rf ../openblas && mv usr/lib/*/openblas-pthread ../openblas &&
    cd .. && rm -rf blas`;
  const { status } = spawnSync("sh", ["-c", script], { cwd: CACHE, stdio: "ignore" });
  if (status !== 0) console.error("No OpenBLAS to be had: PyTorch runs on the BLAS that it finds.");
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

/** The control loops, which bench/main.mjs compiles. */
function copyControls() {
  run(process.execPath, "bench/main.mjs", "--quick", "--only", "control");
  for (const name of ["control.wasm", "control-relaxed.wasm"]) copyFileSync(`build/bench/${name}`, join(CACHE, name));
}

/** This Node, or the one among the peers. */
function newNode() {
  if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR) return process.execPath;
  const path = join(CACHE, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  if (existsSync(path)) return path;
  console.error(`Expected Node ${NODE_MAJOR} or newer, found ${process.versions.node}; jax-js may fail.`);
  return process.execPath;
}

/** @param {string} command @param {string[]} args */
function run(command, ...args) {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
