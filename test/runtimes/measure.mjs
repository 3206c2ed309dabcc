// @ts-check
// `node test/runtimes/measure.mjs [--rounds N]`: what has limits and depends on the machine, from the packed package.
// Cold starts as whole processes on Node 24, interleaved, beside peers where `npm run bench:peers` has installed them;
// the main thread in Chromium during fit; the memory of workerd. Only reports. After `npm run build`.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { orExit, parse } from "../../scripts/usage.mjs";
import { APP, installPackage, installRuntime } from "./install.mjs";
import { CHROMIUM, execute, hostNode, hostPath, nodePath, WORKERD } from "./runtimes.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PEERS = join(ROOT, ".cache/peers");
/** In bench/peers/contestants: file and function. */
const CONTESTANTS = {
  "jax-js": ["jax", "createJax"],
  "TensorFlow.js": ["tfjs", "createTfjsLayers"],
  toygrad: ["toygrad", "createToygrad"],
  "brain.js": ["brain", "createBrain"],
};

const { rounds } = await orExit(() =>
  parse(process.argv.slice(2), "--rounds N", { rounds: { type: "string", default: "30" } }),
);
const node = nodePath(24);
installPackage();
cpSync(fileURLToPath(new URL("measured", import.meta.url)), join(APP, "measured"), { recursive: true });
reportColdStarts(await measureColdStarts(Number(rounds)));
reportPhases();
await reportPage();
await reportWorker();

/** Milliseconds of whole processes by name; the order turns round each time.
 *  @param {number} rounds @returns {Promise<Record<string, number[]>>} */
async function measureColdStarts(rounds) {
  /** @type {Record<string, string[]>} */
  const commands = {
    "node -e 0": ["-e", "0"],
    "import simdgrad": [join(APP, "measured/import.mjs")],
    simdgrad: [join(APP, "measured/step.mjs")],
    ...(await peers()),
  };
  const names = Object.keys(commands);
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const start = performance.now();
      const { status, stderr } = spawnSync(node, commands[name], { cwd: APP, encoding: "utf8" });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      times[name].push(performance.now() - start);
    }
  }
  return times;
}

/** A bundle for each peer that is installed: the contestant of the benchmark and one step. */
async function peers() {
  /** @type {Record<string, string[]>} */
  const commands = {};
  if (!existsSync(join(PEERS, "node_modules"))) console.log("No peers: npm run bench:peers installs them.");
  else {
    for (const [name, [file, create]] of Object.entries(CONTESTANTS)) {
      const outfile = join(PEERS, `cold-${file}.mjs`);
      const contents = `
        import { ${create} } from "./bench/peers/contestants/${file}.ts";
        const sizes = [784, 128, 10];
        const parameters = [1, 2].map((i) => ({
          kernel: Float32Array.from({ length: sizes[i - 1] * sizes[i] }, (_, j) => (((j * 7919) % 1009) - 504) / 5e3),
          bias: new Float32Array(sizes[i]),
        }));
        const subject = await ${create}({ sizes, batch: 32 }, parameters);
        await subject.step(new Float32Array(32 * 784).fill(0.5), new Int32Array(32));
        process.exit();`;
      await build({
        stdin: { contents, resolveDir: ROOT },
        outfile,
        bundle: true,
        platform: "node",
        format: "esm",
        packages: "external",
        logLevel: "warning",
      });
      commands[name] = [outfile];
    }
  }
  return commands;
}

/** @param {Record<string, number[]>} times */
function reportColdStarts(times) {
  const base = summary(times["node -e 0"]);
  console.log("\nWhole process, ms                median    over node -e 0    least    over");
  for (const [name, all] of Object.entries(times)) {
    const { median, least } = summary(all);
    const cells = [median, median - base.median, least, least - base.least].map((ms) => ms.toFixed(1));
    const [a, b, c, d] = cells;
    console.log(`${name.padEnd(30)} ${a.padStart(8)} ${b.padStart(17)} ${c.padStart(8)} ${d.padStart(7)}`);
  }
}

/** @param {number[]} values */
function summary(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], least: sorted[0] };
}

/** The least of each phase over some processes. */
function reportPhases() {
  const runs = Array.from({ length: 15 }, () => JSON.parse(execute(node, join(APP, "measured/phases.mjs"))));
  const least = ["import", "build", "first step", "second step"].map((name, i) => {
    return `${name} ${Math.min(...runs.map((times) => times[i])).toFixed(1)}`;
  });
  console.log(`\nIn the process, least ms: ${least.join(", ")}.`);
}

async function reportPage() {
  if (!existsSync(CHROMIUM)) return console.log(`\nNo Chromium at ${CHROMIUM}.`);
  const outdir = join(APP, "measured-page");
  const entryPoints = [join(APP, "measured/page.mjs")];
  await build({ entryPoints, outdir, bundle: true, minify: true, format: "esm", logLevel: "warning" });
  writeFileSync(join(outdir, "index.html"), '<!doctype html><script type="module" src="/page.js"></script>\n');
  const host = [hostPath("playwright-core"), installRuntime("playwright-core"), outdir, CHROMIUM, "page"];
  console.log("\nChromium's main thread, tasks over 50 ms:");
  for (const [name, { milliseconds, tasks }] of Object.entries(JSON.parse(execute(hostNode(), ...host)))) {
    const what = name === "training" ? "fit of 784-128-10" : "plain work in 10 ms";
    const longest = tasks.length > 0 ? `, the longest ${Math.max(...tasks)} ms` : "";
    console.log(`${what}, ${milliseconds.toFixed(0)} ms: ${tasks.length}${longest}`);
  }
}

async function reportWorker() {
  const outfile = join(APP, "bundled/measured-worker.mjs");
  const entryPoints = [join(APP, "measured/worker.mjs")];
  await build({ entryPoints, outfile, bundle: true, format: "esm", logLevel: "warning", ...WORKERD });
  const wasm = join(APP, "node_modules/simdgrad/dist");
  const host = [hostPath("measure-worker"), installRuntime("miniflare"), outfile, wasm];
  const { planned, taken, idle, peak } = JSON.parse(execute(hostNode(), ...host));
  const [a, b, c, d] = [planned, taken, idle, peak - idle].map((bytes) => (bytes / 2 ** 20).toFixed(1));
  console.log(
    `\nworkerd, 784-512-256-10: planned ${a} MiB, taken ${b} MiB; the process ${c} MiB idle, ${d} more after training.`,
  );
}
