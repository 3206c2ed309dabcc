// The service as a program: MODEL_TOKEN=... node node-server.mjs --model FILE [--port N]. It listens on this machine only.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { serve } from "@hono/node-server";
import { createApp } from "./app.ts";

const { values } = parseArgs({ options: { model: { type: "string" }, port: { type: "string", default: "8080" } } });
const token = process.env["MODEL_TOKEN"];
if (!values.model || !token) {
  console.error("Usage: MODEL_TOKEN=... node node-server.mjs --model FILE [--port N]");
  process.exit(1);
}

const { fetch } = createApp(readFileSync(values.model), token);
const server = serve({ fetch, hostname: "127.0.0.1", port: Number(values.port) }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}`);
});
// Answers what it has, then ends.
process.once("SIGTERM", () => server.close());
