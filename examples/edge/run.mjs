// @ts-check
// `npm run example:edge`: the Worker in miniflare. Runs after ready.mjs.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { installRuntime } from "../../test/runtimes/install.mjs";
import { hostNode, WORKERD } from "../../test/runtimes/runtimes.mjs";
import { bundle } from "../bundle.mjs";
import { readCounts } from "../options.mjs";

const HELP = `A Cloudflare Worker whose Durable Object learns digits from 16 clients, is evicted and killed meanwhile, and has
forgotten nothing. Installs miniflare into .cache first.

  npm run example:edge -- --port 8787

Options
  --port N   goes on serving there until Ctrl-C
  --help     this page`;
const KERNELS = fileURLToPath(new URL("../../dist", import.meta.url));

/** Bundles the Worker and a program that plays the world around it, which is told where miniflare, the Worker and the
 *  kernels are; gives its exit status. @param {string} program from the root @param {string[]} args */
export async function runAround(program, ...args) {
  const miniflare = installRuntime("miniflare");
  const worker = await bundle("examples/edge/worker.ts", "edge-worker", WORKERD);
  const host = await bundle(program, "edge-host");
  const { status } = spawnSync(hostNode(), [host, miniflare, worker, KERNELS, ...args], { stdio: "inherit" });
  return status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { port } = await readCounts(HELP, { port: 0 });
  process.exitCode = await runAround("examples/edge/host.ts", String(port));
}
