// What every runtime does, and the hashes of what comes out: they must be the same everywhere.
import digits from "./digits.mjs";

const SEEDS = [1, 2, 3];
/** How long lanes may take to run a list: other programs have the cores too. Units: ms. */
const PATIENCE = 60_000;

/** Hashes by name. `lanes` is for the wide network; the digits network is too small to be split.
 *  @param {{ simdgrad: typeof import("simdgrad"), infer: typeof import("simdgrad/infer"),
 *    kernels: typeof import("simdgrad/kernels") }} entries
 *  @param {Pick<import("simdgrad").RunOptions, "threads" | "worker">} [lanes] */
export async function exercise({ simdgrad, infer, kernels }, lanes = {}) {
  /** @type {Record<string, string>} */
  const hashes = {};
  const data = readDigits();
  for (const seed of SEEDS) {
    for (const [name, values] of Object.entries(await trainDigits(simdgrad, infer, data, seed))) {
      hashes[`seed ${seed}: ${name}`] = await sha256(values);
    }
  }
  if (new Set(Object.values(hashes)).size < Object.keys(hashes).length) throw new Error("Seeds share a hash.");
  hashes["wide network: weights"] = await sha256(await trainWide(simdgrad, data, lanes));
  hashes["kernels: exp"] = await sha256(runKernel(kernels));
  await exerciseRelaxed(simdgrad, data, lanes);
  return hashes;
}

/** Saving to a file and loading it keeps every bit. @param {typeof import("simdgrad/node")} files @param {string} path */
export async function exerciseFiles({ sequential, dense, adam }, { saveFile, loadFile }, path) {
  const layers = [dense(5, { activation: "softmax" })];
  const model = sequential({ input: 3, layers, loss: "cross-entropy", optimizer: adam() });
  model.trainBatch(Float32Array.of(1, 2, 3, 4, 5, 6), Int32Array.of(4, 0));
  await saveFile(model, path);
  assertEqual(await sha256((await loadFile(path)).save()), await sha256(model.save()), "A loaded file differs");
}

/** Whether this environment compiles WebAssembly from bytes. */
export function compilesBytes() {
  try {
    return Boolean(new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)));
  } catch {
    return false;
  }
}

/** Whether this environment makes functions from strings. */
export function evaluatesStrings() {
  try {
    return Boolean(new Function("return 1"));
  } catch {
    return false;
  }
}

/** Where a policy refuses workers from blobs, threads without `worker` are RUNTIME and say what to pass; the model goes
 *  on with one lane. @param {typeof import("simdgrad")} simdgrad */
export async function refusesBlobWorkers({ sequential, dense }) {
  const model = sequential({ input: 512, layers: [dense(512), dense(512)], threads: 2 });
  const x = new Float32Array(256 * 512);
  let message = "";
  for (let tries = 0; message === "" && tries < 500; tries++) {
    try {
      model.predict(x);
    } catch (error) {
      message = error.message;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (!message.includes("simdgrad/lane")) throw new Error(`Expected an error that names the lane, found: ${message}`);
  model.predict(x);
}

async function trainDigits({ sequential, load, dense, adam }, infer, { train, test }, seed) {
  const model = sequential({
    input: 64,
    layers: [dense(64, { activation: "relu" }), dense(10, { activation: "softmax" })],
    loss: "cross-entropy",
    optimizer: adam(),
    seed,
  });
  const { epochs } = await model.fit(train, { epochs: 2, batchSize: 32 });
  const predictions = model.predict(test.x);
  const loaded = load(model.save());
  for (const each of [model, loaded]) await each.fit(train, { epochs: 1, batchSize: 32 });
  const file = loaded.save();
  assertEqual(await sha256(model.save()), await sha256(file), `seed ${seed}: a loaded model trains on differently`);
  const predicted = await sha256(infer.load(file).predict(test.x));
  assertEqual(predicted, await sha256(loaded.predict(test.x)), `seed ${seed}: a Predictor differs`);
  const { accuracy } = loaded.evaluate(test);
  if (!(accuracy > 0.5)) throw new Error(`seed ${seed}: learned nothing, accuracy ${accuracy}`);
  return { losses: Float64Array.from(epochs, ({ loss }) => loss), predictions, weights: loaded.weights, file };
}

/** Large enough for its steps to be split over lanes; with threads, that is seen to. */
async function trainWide({ sequential, dense, adam }, { train }, options) {
  const lanes = options.threads > 1 ? watchLanes() : undefined;
  const layers = [dense(512, { activation: "relu" }), dense(256, { activation: "gelu" })];
  const build = (more) =>
    sequential({
      input: 64,
      layers: [...layers, dense(10, { activation: "softmax" })],
      loss: "cross-entropy",
      optimizer: adam(),
      seed: 4,
      ...more,
    });
  const learn = (model) => model.fit(train, { epochs: 6, batchSize: 256 });
  const model = build(options);
  if (lanes) await firstMeeting(lanes, () => model.predict(train.x.subarray(0, 256 * 64)));
  const before = lanes?.meetings();
  await learn(model);
  const weights = model.weights.slice();
  if (lanes) {
    const one = build({});
    await learn(one);
    for (const start = Date.now(); lanes.meetings() === before; ) {
      if (Date.now() - start > PATIENCE) throw new Error("fit ran on one lane only.");
      for (const each of [model, one]) await learn(each);
    }
    assertEqual(await sha256(model.weights), await sha256(one.weights), "Two lanes differ from one");
    model[Symbol.dispose]();
  }
  return weights;
}

/** The relaxed build, where the engine has it and the entry brings it: its bits are its own, so they are no hashes. */
async function exerciseRelaxed(simdgrad, { train }, lanes) {
  const x = train.x.subarray(0, 256 * 64);
  const y = train.y.subarray(0, 256);
  const strict = smoothModel(simdgrad, {});
  let relaxed;
  try {
    relaxed = smoothModel(simdgrad, { simd: "relaxed" });
  } catch (error) {
    if (error.code !== "RUNTIME" || mustHaveRelaxed()) throw error;
    return;
  }
  const initial = relaxed.weights.slice();
  strict.weights.set(initial);
  assertNear(relaxed.predict(x), strict.predict(x), "An output of the relaxed build");
  const losses = [relaxed, strict].map((model) => Float64Array.of(model.trainBatch(x, y)));
  assertNear(...losses, "The relaxed build's loss");
  assertNear(relaxed.gradients, strict.gradients, "A gradient of the relaxed build");
  if (!(lanes.threads > 1)) return;

  const meetings = watchLanes();
  const wide = smoothModel(simdgrad, { ...lanes, threads: 3, simd: "relaxed" });
  let steps = 8;
  wide.weights.set(initial);
  await firstMeeting(meetings, () => {
    wide.trainBatch(x, y);
    steps++;
  });
  for (let i = 0; i < 8; i++) wide.trainBatch(x, y);
  for (let i = 1; i < steps; i++) relaxed.trainBatch(x, y);
  assertEqual(await sha256(wide.weights), await sha256(relaxed.weights), "Relaxed, three lanes differ from one");
  wide[Symbol.dispose]();
}

/** Without kinks, near which one rounding decides. */
function smoothModel({ sequential, dense, adam }, options) {
  const layers = [dense(512, { activation: "tanh" }), dense(256, { activation: "gelu" })];
  return sequential({
    input: 64,
    layers: [...layers, dense(10, { activation: "softmax" })],
    loss: "cross-entropy",
    optimizer: adam(),
    ...options,
  });
}

/** As docs/performance.md says of Node. */
function mustHaveRelaxed() {
  const { node, bun, deno } = globalThis.process?.versions ?? {};
  return !bun && !deno && Number.parseInt(node, 10) >= 21;
}

/** Both builds round at most twice a term, in all sums on the longest way: there and back, and over the rows. Of n
 *  roundings that do not conspire hardly ever more than 10 sqrt(n) units remain, of the largest where weights have unit
 *  gain. Source: Higham & Mary 2019, A new approach to probabilistic rounding error analysis, theorem 3.1. */
function assertNear(actual, expected, what) {
  const roundings = 2 * (64 + 512 + 256 + 10 + 256 + 256);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const bound = 10 * Math.sqrt(roundings) * 2 ** -24 * largest;
  const at = expected.findIndex((value, i) => !(Math.abs(actual[i] - value) <= bound));
  if (at >= 0) throw new Error(`${what} is ${actual[at]} at ${at}, ${expected[at]} in the strict build.`);
}

/** Lanes start on their own time: until they are ready one lane does all. */
async function firstMeeting(lanes, work) {
  for (const start = Date.now(); lanes.meetings() === 0; ) {
    if (Date.now() - start > PATIENCE) throw new Error("The lanes never started.");
    work();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Counts how often all lanes met: word 3 of the block that each lane is handed (src/runtime/barrier.ts). */
function watchLanes() {
  const { Worker } = globalThis.process?.getBuiltinModule?.("node:worker_threads") ?? globalThis;
  const { postMessage } = Worker.prototype;
  let block;
  Worker.prototype.postMessage = function (message, ...rest) {
    block ??= message.block;
    return postMessage.call(this, message, ...rest);
  };
  return { meetings: () => (block ? Atomics.load(new Int32Array(block), 3) : 0) };
}

function runKernel({ createKernels }) {
  const space = createKernels({ bytes: 4096 });
  const values = space.f32(101);
  values.forEach((_, i) => {
    values[i] = (i - 50) / 8;
  });
  space.kernels.exp(values.length, values.byteOffset, values.byteOffset);
  return values;
}

/** As the demo splits them: every fifth row is for testing. */
function readDigits() {
  const rows = digits
    .trim()
    .split("\n")
    .map((line) => line.split(",").map(Number));
  const samples = (part) => ({
    x: Float32Array.from(part.flatMap((row) => row.slice(0, 64).map((count) => count / 16))),
    y: Int32Array.from(part, (row) => row[64]),
  });
  return { train: samples(rows.filter((_, i) => i % 5 !== 0)), test: samples(rows.filter((_, i) => i % 5 === 0)) };
}

/** @param {ArrayBufferView} values */
async function sha256({ buffer, byteOffset, byteLength }) {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength).slice();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function assertEqual(a, b, message) {
  if (a !== b) throw new Error(`${message}: ${a} and ${b}.`);
}
