// @ts-check
// `npm run bench`: bundles bench/*.ts and the kernels into build/bench, compiles the control loop, runs the benchmarks.
// Arguments go on to run.ts; `table` as the first one makes README's table from the last published results instead.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const [command, ...rest] = process.argv.slice(2);

/** @param {string} name @param {string} feature */
function compileControl(name, feature) {
  const flags = ["--config", "none", "-O3", "--noAssert", "--runtime", "stub", "--use", "abort=", "--enable", feature];
  run("node_modules/assemblyscript/bin/asc.js", "bench/control/control.ts", "-o", `build/bench/${name}.wasm`, ...flags);
}

/** @param {string[]} args */
function run(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** @param {string} name */
function version(name) {
  return JSON.parse(readFileSync(name === "simdgrad" ? "package.json" : `node_modules/${name}/package.json`, "utf8"))
    .version;
}

await build({
  entryPoints: ["bench/run.ts", "bench/contestant.ts", "bench/table.ts", "bench/first-step.ts"],
  outdir: "build/bench",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  logLevel: "warning",
  define: {
    VERSIONS: JSON.stringify(
      Object.fromEntries(["simdgrad", "tinybench", "assemblyscript"].map((n) => [n, version(n)])),
    ),
  },
});

if (command === "table") {
  run("build/bench/table.mjs", ...rest);
} else {
  compileControl("control", "simd");
  compileControl("control-relaxed", "simd,relaxed-simd");
  run("build/bench/run.mjs", ...process.argv.slice(2));
}
