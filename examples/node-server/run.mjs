// @ts-check
// `npm run example:node-server`: the service under autocannon's load, on this machine only. Runs after ready.mjs.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { installRuntime } from "../../test/runtimes/install.mjs";
import { bundle } from "../bundle.mjs";
import { readCounts } from "../options.mjs";

const SERVICE = fileURLToPath(new URL("../../build/examples/node-server.mjs", import.meta.url));

const HELP = `A service on Hono that predicts under load while its model is exchanged. Installs autocannon into .cache first.

  npm run example:node-server

The service alone: MODEL_TOKEN=... node build/examples/node-server.mjs --model FILE --port 8080`;

await readCounts(HELP, {});
const autocannon = installRuntime("autocannon");
const load = await bundle("examples/node-server/load.ts", "node-server-load");
process.exitCode = spawnSync(process.execPath, [load, autocannon, SERVICE], { stdio: "inherit" }).status ?? 1;
