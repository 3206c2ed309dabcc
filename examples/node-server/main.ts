// The service as a program: MODEL_TOKEN=... node node-server.mjs --model FILE [--port N]. It listens on this machine only.
import { readFileSync } from "node:fs";
import { serve } from "@hono/node-server";
import { orUsage, parse, UsageError } from "../../scripts/usage.mjs";
import { createApp } from "./app.ts";

const USAGE = "MODEL_TOKEN=... node node-server.mjs --model FILE [--port N]";

await orUsage(start);

function start() {
  const options = { model: { type: "string" }, port: { type: "string", default: "8080" } } as const;
  const { model, port } = parse(process.argv.slice(2), USAGE, options, `Usage: ${USAGE}`);
  const token = process.env["MODEL_TOKEN"];
  if (!model || !token) throw new UsageError(`Usage: ${USAGE}`);
  const { fetch } = createApp(readFileSync(model), token);
  const server = serve({ fetch, hostname: "127.0.0.1", port: Number(port) }, ({ port }) => {
    console.log(`http://127.0.0.1:${port}`);
  });
  // Answers what it has, then ends.
  process.once("SIGTERM", () => server.close());
}
