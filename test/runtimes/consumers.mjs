// @ts-check
// Who takes the package in: bundlers, whose pages run in Chromium; Next; TypeScript; and a linter of declarations.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { APP, installRuntime, VERSIONS } from "./install.mjs";
import { CHROMIUM, execute, hostNode, hostPath } from "./runtimes.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FROM = join(APP, "consumers");

/** @type {readonly import("./runtimes.mjs").Runtime[]} */
export const CONSUMERS = [
  bundler("esbuild", () => fileURLToPath(new URL("../../node_modules/esbuild", import.meta.url)), bundleWithEsbuild),
  bundler("vite", () => installRuntime("vite"), bundleWithVite),
  bundler("webpack", () => installRuntime("webpack"), bundleWithWebpack),
  { name: "next", tier: "all", prepare: () => prepare(installNext), run: runNext },
  // The oldest is what docs/getting-started.md names.
  ...["typescript", "typescript5", "typescript58"].map((name) => typeScript(name)),
  { name: "attw", tier: "all", prepare: () => prepare(installAttw), run: runAttw },
];

/** A bundler whose page trains on two lanes under a strict policy.
 *  @param {string} name @param {() => string} install @param {(out: string) => Promise<void>} bundle
 *  @returns {import("./runtimes.mjs").Runtime} */
function bundler(name, install, bundle) {
  return {
    name,
    tier: "all",
    prepare: () => {
      installRuntime("playwright-core");
      return VERSIONS[name] ?? versionIn(install());
    },
    run: async () => {
      const out = join(APP, "consumed", name);
      rmSync(out, { recursive: true, force: true });
      mkdirSync(out, { recursive: true });
      await bundle(out);
      return JSON.parse(
        execute(hostNode(), hostPath("playwright-core"), installRuntime("playwright-core"), out, CHROMIUM, "isolated"),
      );
    },
  };
}

/** @param {string} out */
async function bundleWithEsbuild(out) {
  const entryPoints = { main: join(FROM, "copied.mjs") };
  await build({ entryPoints, outdir: out, bundle: true, minify: true, format: "esm", logLevel: "warning" });
  cpSync(createRequire(join(APP, "package.json")).resolve("simdgrad/lane"), join(out, "lane.js"));
  writePage(out);
}

/** @param {string} out */
async function bundleWithVite(out) {
  const { build: vite } = await import(createRequire(join(installRuntime("vite"), "package.json")).resolve("vite"));
  await vite({ root: FROM, configFile: false, logLevel: "warn", build: { outDir: out, emptyOutDir: true } });
}

/** @param {string} out */
async function bundleWithWebpack(out) {
  const webpack = createRequire(join(installRuntime("webpack"), "package.json"))("webpack");
  /** @type {any} */
  const stats = await new Promise((resolve, reject) => {
    const config = {
      context: APP,
      entry: "./consumers/bundled.mjs",
      mode: "production",
      output: { path: out, publicPath: "/" },
    };
    webpack(config, (/** @type {unknown} */ error, /** @type {unknown} */ stats) =>
      error ? reject(error) : resolve(stats),
    );
  });
  if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
  writePage(out);
}

/** @param {string} out */
function writePage(out) {
  writeFileSync(join(out, "index.html"), '<!doctype html><script type="module" src="/main.js"></script>\n');
}

/** Turbopack wants everything below one root: the project lies within the folder that has Next. */
async function runNext() {
  const folder = installNext();
  const project = join(folder, "project");
  rmSync(project, { recursive: true, force: true });
  cpSync(join(FROM, "next"), project, { recursive: true });
  for (const name of ["spec.mjs", "digits.mjs"]) cpSync(join(APP, name), join(project, name));
  writeFileSync(join(project, "package.json"), '{ "private": true }\n');
  const root = JSON.stringify(folder);
  writeFileSync(join(project, "next.config.mjs"), `export default { turbopack: { root: ${root} } };\n`);
  const installed = join(folder, "node_modules/simdgrad");
  rmSync(installed, { recursive: true, force: true });
  cpSync(join(APP, "node_modules/simdgrad"), installed, { recursive: true });
  const next = join(folder, "node_modules/next/dist/bin/next");
  return JSON.parse(execute(hostNode(), hostPath("next"), project, next, installRuntime("playwright-core"), CHROMIUM));
}

function installNext() {
  installRuntime("playwright-core");
  return installRuntime("next", "next", ["react", "react-dom"]);
}

/** The same program as an ES module, as CommonJS and for bundlers.
 *  @param {string} name @returns {import("./runtimes.mjs").Runtime} */
function typeScript(name) {
  const folder = () => (name in VERSIONS ? installRuntime(name, "typescript") : ROOT);
  return {
    name,
    tier: "all",
    prepare: () => versionIn(join(folder(), "node_modules/typescript")),
    run: async () => {
      const kinds = { mts: ["nodenext", "nodenext"], cts: ["nodenext", "nodenext"], ts: ["esnext", "bundler"] };
      for (const [extension, [module, moduleResolution]] of Object.entries(kinds)) {
        const project = join(APP, "typed", extension);
        mkdirSync(project, { recursive: true });
        cpSync(join(FROM, "program.ts"), join(project, `program.${extension}`));
        // Float16Array is of the newest library alone.
        const lib = name === "typescript" ? ["esnext", "dom"] : ["es2023", "esnext.disposable", "dom"];
        const compilerOptions = {
          module,
          moduleResolution,
          lib,
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          target: "es2022",
          types: [],
        };
        writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*"] }));
        execute(process.execPath, join(folder(), "node_modules/typescript/bin/tsc"), "-p", project);
      }
      return undefined;
    },
  };
}

function installAttw() {
  return installRuntime("attw", "@arethetypeswrong/cli");
}

/** Resolution as Node 16 and bundlers do it; a wasm file cannot be required. */
async function runAttw() {
  const attw = join(installAttw(), "node_modules/@arethetypeswrong/cli/dist/index.js");
  const tarball = readdirSync(APP).find((name) => name.endsWith(".tgz")) ?? "";
  const { exports } = JSON.parse(readFileSync(join(APP, "node_modules/simdgrad/package.json"), "utf8"));
  const wasm = Object.keys(exports).filter((path) => path.endsWith(".wasm"));
  execute(process.execPath, attw, tarball, "--profile", "node16", "--exclude-entrypoints", ...wasm);
  return undefined;
}

/** @param {() => string} install */
function prepare(install) {
  return versionIn(install());
}

/** @param {string} folder of a package, or one that was installed for it */
function versionIn(folder) {
  const { version, dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return version ?? Object.values(dependencies)[0];
}
