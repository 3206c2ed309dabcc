// The show: how many requests a second the service answers on loopback, how fast, and what becomes of them while its
// model is exchanged: node node-server-load.mjs AUTOCANNON_FOLDER SERVER
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { PIXELS, readDigits } from "../digits/digits.ts";
import { nameOf } from "./app.ts";
import { answersOf, isRight, trainDigits } from "./models.ts";

const CONNECTIONS = 8;
const REQUESTS = 10_000;
const QUESTIONS = 16;
const SWAP_MS = 100;
const TOKEN = randomUUID();

/** The part of autocannon that is used. Units: ms; seconds for the duration. */
type Cannon = (
  options: object,
  done: (error: Error | null, result: { readonly duration: number }) => void,
) => { on(event: "response", listener: (client: unknown, status: number, bytes: number, ms: number) => void): void };

const [folder, program] = process.argv.slice(2);
const autocannon: Cannon = createRequire(join(folder, "package.json"))("autocannon");
const { train, test } = readDigits();
const questions = Array.from({ length: QUESTIONS }, (_, i) => test.x.slice(i * PIXELS, (i + 1) * PIXELS));
const files = await Promise.all([2, 20].map((epochs) => trainDigits(train, epochs)));
const answers = new Map(files.map((file) => [nameOf(file), answersOf(file, questions)]));

const workplace = mkdtempSync(join(tmpdir(), "simdgrad-server-"));
const server = start(join(workplace, "model.safetensors"));
try {
  const url = await firstLine(server);
  console.log(
    `${url} serves 64-128-10; ${REQUESTS.toLocaleString("en-US")} requests over ${CONNECTIONS} connections\n`,
  );
  console.log("                    requests/s   p50 ms   p99 ms  lost  wrong  exchanges");
  await fire(url, "to warm up");
  await fire(url, "one model");
  await fire(url, "models exchanged", SWAP_MS);
} finally {
  server.kill();
  rmSync(workplace, { recursive: true });
}

function start(path: string): ChildProcess {
  writeFileSync(path, files[0]);
  const env = { ...process.env, MODEL_TOKEN: TOKEN };
  return spawn(process.execPath, [program, "--port", "0", "--model", path], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error("Expected the service's output.");
  const [line] = await once(createInterface(stdout), "line");
  return line;
}

/** Prints a row. With a period, another model arrives so often. */
async function fire(url: string, name: string, period = 0): Promise<void> {
  const stop = new AbortController();
  const shooting = shoot(url).finally(() => stop.abort());
  const [{ times, wrong, seconds }, exchanges] = await Promise.all([shooting, exchange(url, period, stop.signal)]);
  const quantile = (share: number) => times[Math.ceil(share * times.length) - 1].toFixed(2).padStart(9);
  const speed = (times.length / seconds).toFixed(0).padStart(10);
  const lost = REQUESTS - times.length;
  const counts = [lost, wrong, exchanges].map((count, i) => String(count).padStart([6, 7, 11][i]));
  console.log(`${name.padEnd(20)}${speed}${quantile(0.5)}${quantile(0.99)}${counts.join("")}`);
  if (wrong > 0 || lost > 0) process.exitCode = 1;
}

/** All requests; the times of those that were answered, ascending. Units: times in ms. */
async function shoot(url: string) {
  const times: number[] = [];
  let wrong = 0;
  const requests = questions.map((question, i) => ({
    method: "POST",
    path: "/predict",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ x: [[...question]] }),
    onResponse: (status: number, body: string) => {
      if (status === 200 && !isRight(JSON.parse(body), answers, i)) wrong++;
    },
  }));
  const options = { url, connections: CONNECTIONS, amount: REQUESTS, requests };
  const { duration } = await new Promise<{ readonly duration: number }>((resolve, reject) => {
    const shots = autocannon(options, (error, result) => (error ? reject(error) : resolve(result)));
    shots.on("response", (_, status, __, ms) => status === 200 && times.push(ms));
  });
  return { times: times.sort((a, b) => a - b), wrong, seconds: duration };
}

/** Gives the service one model after the other; how many it took. Errors: when it does not take one. */
async function exchange(url: string, period: number, signal: AbortSignal): Promise<number> {
  const headers = { Authorization: `Bearer ${TOKEN}` };
  for (let count = 0; ; count++) {
    await sleep(period, undefined, { signal }).catch(() => {});
    if (signal.aborted || period === 0) return count;
    const body = files[(count + 1) % 2] as Uint8Array<ArrayBuffer>;
    const { status } = await fetch(`${url}/model`, { method: "POST", headers, body });
    if (status !== 200) throw new Error(`POST /model: status ${status}.`);
  }
}
