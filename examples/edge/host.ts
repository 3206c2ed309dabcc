// The show: a Worker that learns from its clients, is evicted and killed meanwhile, and has forgotten nothing.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDigits } from "../digits/digits.ts";
import { accuracy, lessonsOf, teach } from "./clients.ts";
import { serve } from "./service.ts";

const CLIENTS = 16;
const FEEDBACKS = 1000;

const [miniflare, worker, wasm, portText] = process.argv.slice(2);
const port = Number(portText);
const { train, test } = readDigits();
const storage = mkdtempSync(join(tmpdir(), "simdgrad-edge-"));
// Whatever ends the process: miniflare ends it by itself after Ctrl-C.
process.once("exit", () => rmSync(storage, { recursive: true, force: true, maxRetries: 5 }));
const service = await serve({ miniflare, worker, wasm, storage }, port);
try {
  await show();
  if (port !== 0) await wait();
} finally {
  await service.stop();
}

async function show() {
  console.log(`workerd serves ${service.url}: ${FEEDBACKS} feedbacks from ${CLIENTS} clients at once\n`);
  let answered = 0;
  const start = performance.now();
  const learned = await teach(service.url, lessonsOf(train, FEEDBACKS), CLIENTS, async ({ answer }) => {
    answered++;
    if (answered === 350) await interrupt("evicts the object", service.evict);
    if (answered === 700) await interrupt("is killed and started again", service.restart);
    if (answered % 100 !== 0) return;
    const right = await accuracy(service.url, test);
    console.log(
      `feedback ${String(answer.feedback).padStart(4)}  loss ${answer.loss.toFixed(4)}  test ${right.toFixed(4)}`,
    );
  });
  const seconds = (performance.now() - start) / 1000;
  const numbers = new Set(learned.map(({ answer }) => answer.feedback));
  const again = learned.filter(({ tries }) => tries > 1).length;
  console.log(`\n${numbers.size} feedbacks learned, ${again} of them sent more than once`);
  console.log(`${(FEEDBACKS / seconds).toFixed(0)} feedbacks/s`);
}

async function interrupt(what: string, how: () => Promise<void>) {
  console.log(`         workerd ${what}`);
  await how();
}

/** Until Ctrl-C. */
async function wait() {
  console.log(`\nStill serving; Ctrl-C stops it. For example:`);
  const row = `[${new Array(64).fill("0.5").join()}]`;
  console.log(`curl ${service.url}predict -d '{"x":[${row}]}'`);
  await new Promise((resolve) => process.once("SIGINT", resolve));
}
