// The edge example in workerd: 1,000 feedbacks from parallel clients while the object is evicted, the process killed and
// nonsense sent. None is lost or learned twice, and the model ends with the bits that Node trains.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sequential } from "simdgrad";
import { readDigits } from "../../examples/digits/digits.ts";
import { accuracy, type Learned, lessonsOf, post, teach } from "../../examples/edge/clients.ts";
import { NETWORK } from "../../examples/edge/learner.ts";
import { serve } from "../../examples/edge/service.ts";

const FEEDBACKS = 1000;
const CLIENTS = 16;
/** At how many answers the object leaves memory; the second and the last time with its process. */
const EVICTIONS = [150, 600];
const KILLS = [333, 850];

const [miniflare, worker, wasm] = process.argv.slice(2);
const storage = mkdtempSync(join(tmpdir(), "simdgrad-edge-"));
const { train, test } = readDigits();
const service = await serve({ miniflare, worker, wasm, storage });
try {
  await refusesNonsense();
  const stop = new AbortController();
  const [learned] = await Promise.all([teachAll().finally(() => stop.abort()), sendNonsense(stop.signal)]);
  checkAnswers(learned);
  const model = await download();
  assert.deepEqual(model, { feedbacks: FEEDBACKS, bytes: trainHere(learned) });
  await answersAgain(learned);
  await service.restart();
  assert.deepEqual(await download(), model, "a restart changed the model");
  const right = await accuracy(service.url, test);
  assert.ok(right > 0.85, `expected more than 85 % right, found ${right}`);
} finally {
  await service.stop();
  rmSync(storage, { recursive: true });
}

async function teachAll(): Promise<Learned[]> {
  let answered = 0;
  return teach(service.url, lessonsOf(train, FEEDBACKS), CLIENTS, async () => {
    answered++;
    if (EVICTIONS.includes(answered)) await service.evict();
    if (KILLS.includes(answered)) await service.restart();
  });
}

/** Each feedback has a number of its own, without a gap: none was lost, none learned twice. */
function checkAnswers(learned: readonly Learned[]) {
  const numbers = learned.map(({ answer }) => answer.feedback).sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    Array.from({ length: FEEDBACKS }, (_, i) => i + 1),
  );
  const disturbed = learned.filter(({ tries }) => tries > 1).length;
  assert.ok(disturbed > 0, "expected the kills to disturb a client, all went through");
}

/** The model's file after the same feedbacks in the same order. */
function trainHere(learned: readonly Learned[]): Uint8Array {
  const model = sequential(NETWORK);
  for (const { x, y, answer } of learned.toSorted((a, b) => a.answer.feedback - b.answer.feedback)) {
    assert.equal(model.trainBatch(x, y), answer.loss);
  }
  return model.save();
}

async function download() {
  const response = await fetch(new URL("/model", service.url));
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { feedbacks: Number(response.headers.get("X-Feedbacks")), bytes };
}

/** Sent again, a feedback is answered as before. */
async function answersAgain(learned: readonly Learned[]) {
  for (const { id, x, y, answer } of [learned[0], learned[500], learned[999]]) {
    assert.deepEqual(await post(new URL("/feedback", service.url), { id, x, y }), { status: 200, body: answer });
  }
}

function nonsense(): [body: unknown, status: number, message: string][] {
  const [{ x, y }] = lessonsOf(train, 1);
  const row = x[0];
  const changed = (value: unknown) => [[...row.slice(0, 5), value, ...row.slice(6)]];
  const numbers = (count: number) => new Array(count).fill(1);
  return [
    ["", 400, "Expected JSON"],
    ["{", 400, "Expected JSON"],
    ["null", 400, "JSON object"],
    [{ y }, 400, "x: expected an array of rows of 64"],
    [{ x: row, y }, 400, "x: expected an array of rows of 64"],
    [{ x: [row.slice(1)], y }, 400, "x: expected an array of rows of 64"],
    [{ x: { length: 1, 0: row }, y }, 400, "x: expected an array of rows of 64"],
    [{ x: changed(1.5), y }, 400, "received 1.5 in row 0, column 5"],
    [{ x: changed(null), y }, 400, "received null in row 0, column 5"],
    [{ x: changed("1"), y }, 400, 'received "1" in row 0, column 5'],
    [`{"x":[[${numbers(63)},1e999]],"y":[1]}`, 400, "column 63"],
    [{ x, y: [1.5] }, 400, "y: expected whole numbers, received 1.5"],
    [{ x, y: ["3"] }, 400, 'received "3"'],
    [{ x, y: 3 }, 400, "y: expected a digit for each"],
    [{ x, y: [1, 2] }, 400, "y: expected a digit for each"],
    [{ x: numbers(257).map(() => row), y: numbers(257) }, 400, "1 to 256 rows"],
    [{ x, y, id: 7 }, 400, "id: expected at most 64"],
    [{ x, y, id: "i".repeat(65) }, 400, "id: expected at most 64"],
    [{ x, y: [10] }, 400, message(x, [10])],
    [{ x, y: [-1] }, 400, message(x, [-1])],
    [{ x: [], y: [] }, 400, message([], [])],
    [" ".repeat(2 ** 20 + 1), 413, "Expected at most 1048576 bytes"],
  ];
}

/** The library's own. */
function message(x: number[][], y: number[]): string {
  try {
    sequential(NETWORK).trainBatch(x, y);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("Expected trainBatch to throw.");
}

async function refusesNonsense() {
  for (const [body, status, text] of nonsense()) {
    const reply = await post(new URL("/feedback", service.url), body);
    const { error } = reply.body as { error: string };
    assert.equal(reply.status, status, JSON.stringify(body).slice(0, 80));
    assert.ok(error.includes(text), `expected "${text}" in "${error}"`);
  }
  const predict = await post(new URL("/predict", service.url), { x: [[1, 2]] });
  assert.equal(predict.status, 400);
  assert.equal((await post(new URL("/elsewhere", service.url), {})).status, 404);
}

/** Over and over; while the service is away, nobody answers. */
async function sendNonsense(signal: AbortSignal) {
  let refused = 0;
  while (!signal.aborted) {
    for (const [body, expected] of nonsense()) {
      const reply = await post(new URL("/feedback", service.url), body).catch(() => undefined);
      if (!reply || reply.status >= 500) continue;
      assert.equal(reply.status, expected);
      refused++;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.ok(refused > 20, `expected more nonsense to be refused, ${refused} was`);
}
