// @ts-check
// `npm run example:edge`: the Worker in miniflare; `-- --port 8787` keeps it there. Runs after ready.mjs.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { installRuntime } from "../../test/runtimes/install.mjs";
import { hostNode, WORKERD } from "../../test/runtimes/runtimes.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Two folders down, as the examples themselves are: they look for the data from there. */
const OUT = join(ROOT, "build/examples");

/** Bundles the Worker and a program that plays the world around it, which is told where miniflare, the Worker and the
 *  kernels are; gives its exit status. @param {string} program @param {string[]} args */
export async function runAround(program, ...args) {
  const places = [installRuntime("miniflare"), join(OUT, "edge-worker.mjs"), join(ROOT, "dist")];
  await bundle(join(ROOT, "examples/edge/worker.ts"), "edge-worker", WORKERD);
  await bundle(program, "edge-host", { platform: "node", packages: "external" });
  const { status } = spawnSync(hostNode(), [join(OUT, "edge-host.mjs"), ...places, ...args], { stdio: "inherit" });
  return status ?? 1;
}

/** @param {string} entry @param {string} name @param {import("esbuild").BuildOptions} options */
async function bundle(entry, name, options) {
  const outExtension = { ".js": ".mjs" };
  const output = /** @type {const} */ ({ outdir: OUT, outExtension, format: "esm" });
  await build({ ...output, ...options, entryPoints: { [name]: entry }, bundle: true, logLevel: "warning" });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await runAround(join(ROOT, "examples/edge/host.ts"), ...process.argv.slice(2));
}
