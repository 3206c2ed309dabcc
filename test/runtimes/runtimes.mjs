// @ts-check
// The runtimes: where each comes from, and how it runs the spec.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { APP, installRuntime, VERSIONS } from "./install.mjs";

/** @typedef {object} Runtime
 *  @property {string} name
 *  @property {"required" | "quick" | "all"} tier required and quick run by default; what is required must have run
 *  @property {() => string} prepare installs it where it is not there yet; its version
 *  @property {() => Promise<Record<string, string> | undefined>} run the hashes by name, where there are any */

export const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WASM = join(APP, "node_modules/simdgrad/dist");

/** The wasm files stay imports. @type {import("esbuild").BuildOptions} */
export const WORKERD = {
  conditions: ["workerd"],
  plugins: [
    {
      name: "external-wasm",
      setup({ onResolve }) {
        onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: `./${basename(path)}`, external: true }));
      },
    },
  ],
};

/** A script; the wasm files are found in `wasmModules`, where the host puts them.
 *  @type {import("esbuild").BuildOptions} */
const EDGE_LIGHT = {
  conditions: ["edge-light"],
  format: "iife",
  plugins: [
    {
      name: "global-wasm",
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({
          path: basename(path, "?module"),
          namespace: "wasm",
        }));
        onLoad({ filter: /.*/, namespace: "wasm" }, ({ path }) => ({
          contents: `export default wasmModules["${path}"];`,
        }));
      },
    },
  ],
};

/** @type {readonly Runtime[]} */
export const RUNTIMES = [
  ...node(20, "quick"),
  ...node(22, "all"),
  ...node(24, "required"),
  { name: "node24-relaxed", tier: "required", prepare: () => versionOf(nodePath(24)), run: testRelaxed },
  ...node(26, "all"),
  program("deno", "quick", deno, ["run", "--allow-read", "--allow-write", "entries/esm.mjs"]),
  program("bun", "quick", bun, ["entries/esm.mjs"]),
  program("bun-require", "quick", bun, ["entries/cjs.cjs"]),
  hosted("workerd", "required", "miniflare", () => bundle("workerd.mjs", WORKERD), WASM),
  hosted("edge-light", "all", "edge-runtime", () => bundle("edge.mjs", EDGE_LIGHT), WASM),
  ...["page", "worker", "threads", "lane"].map((mode) =>
    hosted(`chromium-${mode}`, "all", "playwright-core", bundlePage, CHROMIUM, mode),
  ),
];

/** @param {number} major @param {Runtime["tier"]} tier */
function node(major, tier) {
  const path = () => nodePath(major);
  return [
    program(`node${major}`, tier, path, ["entries/esm.mjs"]),
    program(`node${major}-require`, tier, path, ["entries/cjs.cjs"]),
  ];
}

/** A runtime that is a program. @param {string} name @param {Runtime["tier"]} tier @param {() => string} path
 *  @param {string[]} args @returns {Runtime} */
function program(name, tier, path, args) {
  return { name, tier, prepare: () => versionOf(path()), run: async () => JSON.parse(execute(path(), ...args)) };
}

/** The tests of the kernels again with the relaxed build, which `npm test` leaves out on a Node without relaxed SIMD, and
 *  its code. @returns {Promise<undefined>} */
async function testRelaxed() {
  const node = nodePath(24);
  const spills = execute(node, join(ROOT, "scripts/spills.mjs"));
  if (/not checked for spills, the engine/.test(spills)) throw new Error(spills);
  const tests = ["test/kernels", "test/model/relaxed.test.ts"];
  const vitest = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--root", ROOT, ...tests];
  const env = { ...process.env, SIMDGRAD_SIMD: "relaxed", NO_COLOR: "1" };
  executeWith({ env, timeout: 600_000 }, node, ...vitest);
}

/** A runtime that a script of hosts/ drives. @param {string} name @param {Runtime["tier"]} tier
 *  @param {string} packageName @param {() => Promise<string>} bundled @param {string[]} args @returns {Runtime} */
function hosted(name, tier, packageName, bundled, ...args) {
  const host = hostPath(packageName);
  return {
    name,
    tier,
    prepare: () => {
      hostNode();
      installRuntime(packageName);
      return packageName === "playwright-core" ? versionOf(CHROMIUM) : VERSIONS[packageName];
    },
    run: async () => JSON.parse(execute(hostNode(), host, installRuntime(packageName), await bundled(), ...args)),
  };
}

/** This Node, or one of that major version. @param {number} major */
export function nodePath(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  return join(installRuntime(`node${major}`, name), "node_modules", name, "bin/node");
}

/** What runs the hosts; miniflare needs Node 22. */
export function hostNode() {
  return Number.parseInt(process.versions.node, 10) >= 22 ? process.execPath : nodePath(24);
}

function deno() {
  const name = `@deno/${process.platform}-${process.arch}${process.platform === "linux" ? "-glibc" : ""}`;
  return join(installRuntime("deno", name), "node_modules", name, "deno");
}

function bun() {
  const name = `@oven/bun-${process.platform}-${process.arch === "arm64" ? "aarch64" : "x64"}`;
  return join(installRuntime("bun", name), "node_modules", name, "bin/bun");
}

/** @param {string} packageName */
export function hostPath(packageName) {
  return fileURLToPath(new URL(`hosts/${packageName}.mjs`, import.meta.url));
}

/** The folder of a page, its bundle and the lane's file. */
async function bundlePage() {
  const folder = dirname(await bundle("page.mjs"));
  copyFileSync(join(WASM, "cjs/lane.js"), join(folder, "lane.js"));
  writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="/page.mjs"></script>\n');
  return folder;
}

/** The bundle's path. @param {string} entry @param {import("esbuild").BuildOptions} [options] */
async function bundle(entry, options) {
  const outfile = join(APP, "bundled", entry);
  const entryPoints = [join(APP, "entries", entry)];
  await build({ entryPoints, outfile, bundle: true, format: "esm", logLevel: "warning", ...options });
  return outfile;
}

/** @param {string} path */
function versionOf(path) {
  if (!existsSync(path)) throw new Error(`${path} is not there`);
  return /\d+(\.\d+)+/.exec(execute(path, "--version"))?.[0] ?? "?";
}

/** What it prints; within the project that has the package. @param {string} path @param {string[]} args */
export function execute(path, ...args) {
  return executeWith({}, path, ...args);
}

/** @param {{ env?: NodeJS.ProcessEnv, timeout?: number }} options @param {string} path @param {string[]} args */
function executeWith(options, path, ...args) {
  const { status, stdout, stderr, error } = spawnSync(path, args, {
    cwd: APP,
    encoding: "utf8",
    timeout: 180_000,
    ...options,
  });
  if (status !== 0) throw new Error(`${error?.message ?? `exit status ${status}`}\n${stdout}${stderr}`.trim());
  return stdout;
}
