// A model as a file: which tensors, under which names, and the rest of its state as JSON in the metadata.
import type { LayerRules } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import { HALF_LIMIT, toHalf } from "../io/half.ts";
import { parseJson } from "../io/json.ts";
import {
  readSafetensors,
  showShape,
  type Tensor,
  type TensorFile,
  type TensorToWrite,
  writeSafetensors,
} from "../io/safetensors.ts";
import { allLayers } from "../layers/index.ts";
import { checkCount, checkKeys, checkNumber, checkObject } from "../options.ts";
import { place } from "../plan/arena.ts";
import type { Plan } from "../plan/compile.ts";
import { type BufferPlan, type Layout, layOut, momentsOf, type NetworkSpec, normalizeNetwork } from "../plan/layout.ts";
import { checkLearningRate, type LearningRate, readLearningRate } from "../schedules.ts";
import type { Engine, StateCopy } from "./engine.ts";
import type { Progress, RunState } from "./progress.ts";

const FORMAT = "simdgrad";
const VERSION = "1";

/** Prefixes of tensors that are no present weights: moments, the best epoch's state, the interrupted run's state. */
const BEST = "best.";
const PAUSED = "paused.";
/** So that a file's header stays sane, and what it may ask of who reads it. Units: characters of JSON. */
const MAX_USER = 2 ** 22;
const MAX_SPEC = 2 ** 17;

/** What a user keeps beside the network: his own keys, any text. */
export type UserMetadata = Record<string, string>;

/** What counts up with the weights. */
type Counters = Pick<StateCopy, "step" | "forwards">;

/** The training state beside the tensors, as JSON. */
interface StateJson {
  readonly learningRate: LearningRate;
  readonly step: number;
  readonly forwards: number;
  readonly epoch: number;
  readonly run?: {
    readonly rows: number;
    readonly batchSize: number;
    readonly done: number;
    readonly batch: number;
    readonly sums: RunState["sums"];
    readonly best?: { readonly score: number; readonly epoch: number; readonly waited: number } & Counters;
    readonly paused?: Counters;
  };
}

/** What of a model goes into its file, and as what numbers. */
export interface Saved {
  readonly state: boolean;
  readonly half: boolean;
}

/** Equal states give equal bytes. Without `state`, and in halves, no more than predicts, and the user's metadata.
 *  Errors: CONFIG; FORMAT for numbers that are not finite, and weights that no half holds. */
export function writeModel(
  engine: Engine,
  { epoch, run }: Progress,
  user: UserMetadata,
  { state, half }: Saved,
): Uint8Array {
  const { plan } = engine;
  const spec = limited("save", "a spec", JSON.stringify(plan.spec), MAX_SPEC);
  const metadata: Record<string, string> = { format: FORMAT, version: VERSION, spec };
  const json = userJson("save", user);
  if (json !== "{}") metadata.user = json;
  const present = engine.copyState();
  if (half || !state) {
    const tensors = tensorsOf(plan, "", { ...present, blocks: present.blocks.slice(0, 1) });
    if (!half) return writeSafetensors(tensors.map(finite), metadata);
    // Running statistics stay f32, as variances are soon too large; and come first, where 4 bytes are aligned.
    const weights = tensors.splice(0, plan.parameters.length).map(halved);
    return writeSafetensors([...tensors.map(finite), ...weights], metadata);
  }
  const { rate, step, forwards } = engine.update;
  const stateJson: StateJson = { learningRate: rate, step, forwards, epoch, ...(run ? { run: runJson(run) } : {}) };
  const tensors = tensorsOf(plan, "", present).map(finite);
  if (run?.stopping) tensors.push(...tensorsOf(plan, BEST, run.stopping.state));
  if (run?.paused) tensors.push(...tensorsOf(plan, PAUSED, run.paused));
  return writeSafetensors(tensors, { ...metadata, state: JSON.stringify(stateJson) });
}

/** The same entries give the same text. Errors: CONFIG, naming the key. */
function userJson(where: string, user: UserMetadata): string {
  const keys = Object.keys(checkObject(where, user)).sort();
  const entries = keys.map((key) => {
    const value: unknown = user[key];
    if (typeof value === "string") return [key, value];
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected metadata ${show(key)} to be a string, received ${show(value)}.`,
      "Make it one, as by JSON.stringify.",
    );
  });
  return limited(where, "metadata", JSON.stringify(Object.fromEntries(entries)), MAX_USER);
}

function limited(where: string, name: string, json: string, most: number): string {
  if (json.length <= most) return json;
  throw new SimdgradError(
    "CONFIG",
    `${where}: expected ${name} of at most ${most} characters as JSON, received ${json.length}.`,
  );
}

/** What a live view was given and no load would take. Errors: FORMAT. */
function finite(tensor: Tensor): Tensor {
  const wrong = tensor.values.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return tensor;
  throw new SimdgradError(
    "FORMAT",
    `save: tensor ${show(tensor.name)}: expected finite numbers, found ${tensor.values[wrong]} at ${wrong}.`,
  );
}

/** Errors: FORMAT. */
function halved({ name, shape, values }: Tensor): TensorToWrite {
  const wrong = values.findIndex((value) => !(Math.abs(value) < HALF_LIMIT));
  if (wrong < 0) return { name, shape, values: toHalf(values) };
  throw new SimdgradError(
    "FORMAT",
    `save: tensor ${show(name)}: expected numbers between -${HALF_LIMIT} and ${HALF_LIMIT} for dtype "f16", found ${values[wrong]} at ${wrong}.`,
    'Save with dtype "f32", or train on scaled data.',
  );
}

function runJson({ rows, batchSize, done, batch, sums, stopping, paused }: RunState): StateJson["run"] {
  const best = stopping && {
    score: stopping.best,
    epoch: stopping.bestEpoch,
    waited: stopping.waited,
    ...countersOf(stopping.state),
  };
  return {
    rows,
    batchSize,
    done,
    batch,
    sums,
    ...(best ? { best } : {}),
    ...(paused ? { paused: countersOf(paused) } : {}),
  };
}

function countersOf({ step, forwards }: StateCopy): Counters {
  return { step, forwards };
}

/** Each parameter's part of each block: "0.kernel", then "m.0.kernel" and so on, and the buffers, under the prefix. */
function tensorsOf(layout: Layout, prefix: string, { blocks, buffers }: StateCopy): Tensor[] {
  const cut = (parts: readonly TensorPlan[], block: Float32Array, prefix: string): Tensor[] =>
    parts.map(({ name, shape, ref }) => {
      const start = ref.within?.offset as number;
      return { name: `${prefix}${name}`, shape, values: block.subarray(start, start + ref.columns) };
    });
  return [
    ...blocks.flatMap((block, i) =>
      cut(layout.parameters, block, i === 0 ? prefix : `${prefix}${layout.momentNames[i - 1]}.`),
    ),
    ...cut(layout.buffers, buffers, prefix),
  ];
}

/** A parameter or a buffer of a layout. */
type TensorPlan = Pick<BufferPlan, "name" | "shape" | "ref" | "low">;

/** A file that was read and checked against its own spec; no model is built for it yet. */
export interface ModelFile {
  readonly spec: NetworkSpec;
  readonly weights: Float32Array;
  readonly buffers: Float32Array;
  readonly metadata: UserMetadata;
  readonly state:
    | { readonly learningRate: LearningRate; readonly copy: StateCopy; readonly progress: Progress }
    | undefined;
}

/** Errors: FORMAT, also for a spec that this version does not know. */
export function readModel(bytes: Uint8Array, custom: LayerRules): ModelFile {
  const file = openModel(bytes);
  const { metadata } = file;
  const spec = readSpec(file, (json) => readNetwork(json, { ...allLayers, ...custom }));
  const layout = inFile("spec", () => layOut(spec, momentsOf(spec)));
  const taker = new TensorTaker(file, layout);
  const weights = taker.block("");
  const buffers = taker.buffers("");
  const state = metadata.has("state") ? readState(parse(metadata, "state") as StateJson, taker) : undefined;
  taker.checkAllTaken();
  return { spec, weights, buffers, state, metadata: readUser(file) };
}

/** The tensors of a file that is a model's. Errors: FORMAT. */
export function openModel(bytes: Uint8Array): TensorFile {
  const file = readSafetensors(bytes);
  const { metadata } = file;
  for (const key of metadata.keys()) {
    if (!["format", "version", "spec", "state", "user"].includes(key)) throw bad(`unknown metadata ${show(key)}`);
  }
  if (metadata.get("format") !== FORMAT || metadata.get("version") !== VERSION) {
    throw bad(
      `expected the format ${FORMAT} ${VERSION} in its metadata, found ${show(metadata.get("format"))} ${show(metadata.get("version"))}`,
    );
  }
  return file;
}

/** Errors: FORMAT for what `normalize` refuses. */
export function readSpec<T>({ metadata }: TensorFile, normalize: (json: NetworkSpec) => T): T {
  return inFile("spec", () => {
    limited("spec", "text", metadata.get("spec") ?? "", MAX_SPEC);
    const json = parse(metadata, "spec") as NetworkSpec;
    checkKeys("spec", json, ["input", "layers", "loss", "optimizer", "metrics", "seed"]);
    return normalize(json);
  });
}

/** Errors: FORMAT. */
export function readUser({ metadata }: TensorFile): UserMetadata {
  if (!metadata.has("user")) return {};
  return inFile("metadata", () => {
    const user = parse(metadata, "user") as UserMetadata;
    userJson("user", user);
    return user;
  });
}

/** Any layer, loss, optimizer and schedule that this version knows. */
function readNetwork(plain: NetworkSpec, known: LayerRules): NetworkSpec {
  const { optimizer } = checkObject("spec", plain);
  if (!optimizer) return normalizeNetwork(plain, known);
  const learningRate = readLearningRate(optimizer.learningRate) as LearningRate;
  return normalizeNetwork({ ...plain, optimizer: { ...optimizer, learningRate } }, known);
}

function readState(json: StateJson, taker: TensorTaker): ModelFile["state"] {
  return inFile("state", () => {
    checkKeys("state", json, ["learningRate", "step", "forwards", "epoch", "run"]);
    const copy = readCopy(json, taker, "");
    const learningRate = checkLearningRate("state", readLearningRate(json.learningRate));
    const epoch = checkCount("state", "epoch", json.epoch, 0);
    return {
      learningRate,
      copy,
      progress: { epoch, run: json.run === undefined ? undefined : readRun(json.run, taker) },
    };
  });
}

function readCopy({ step, forwards }: Counters, taker: TensorTaker, prefix: string): StateCopy {
  return {
    step: checkCount("state", "step", step, 0),
    forwards: checkCount("state", "forwards", forwards, 0),
    blocks: [taker.block(prefix), ...taker.moments(prefix)],
    buffers: taker.buffers(prefix),
  };
}

function readRun(json: NonNullable<StateJson["run"]>, taker: TensorTaker): RunState {
  checkKeys("run", json, ["rows", "batchSize", "done", "batch", "sums", "best", "paused"]);
  checkKeys("sums", json.sums, ["loss", "weight", "correct", "answers", "tally"]);
  const { loss, weight, correct, answers, tally } = json.sums;
  if (tally !== undefined && !(Array.isArray(tally) && tally.every(Number.isFinite)))
    throw bad("its tally is no numbers");
  for (const [name, value] of Object.entries({ loss, weight, correct, answers })) checkNumber("sums", name, value);
  const count = (name: "rows" | "batchSize" | "done" | "batch", least: number) =>
    checkCount("run", name, json[name], least);
  const rows = count("rows", 0);
  const batchSize = count("batchSize", 1);
  // A stream's rows are not known.
  const high = rows > 0 ? Math.ceil(rows / batchSize) : undefined;
  const batch = checkNumber("run", "batch", count("batch", 0), { high });
  const { best, paused } = json;
  if (best !== undefined) checkKeys("best", best, ["score", "epoch", "waited", "step", "forwards"]);
  if (paused !== undefined) checkKeys("paused", paused, ["step", "forwards"]);
  return {
    rows,
    batchSize,
    done: count("done", 0),
    batch,
    sums: { loss, weight, correct, answers, ...(tally ? { tally } : {}) },
    stopping: best && {
      best: checkNumber("best", "score", best.score),
      bestEpoch: checkCount("best", "epoch", best.epoch),
      waited: checkCount("best", "waited", best.waited, 0),
      state: readCopy(best, taker, BEST),
    },
    paused: paused === undefined ? undefined : readCopy(paused, taker, PAUSED),
  };
}

/** Puts a file's tensors together to blocks, and knows which it has used. */
export class TensorTaker {
  private readonly file: TensorFile;
  private readonly layout: Layout;
  private readonly taken = new Set<string>();

  constructor(file: TensorFile, layout: Layout) {
    this.file = file;
    this.layout = layout;
  }

  moments(prefix: string): Float32Array[] {
    return this.layout.momentNames.map((moment) => this.block(`${prefix}${moment}.`));
  }

  /** Errors: FORMAT for tensors that belong to nothing. */
  checkAllTaken(): void {
    for (const name of this.file.tensors.keys()) if (!this.taken.has(name)) throw bad(`unknown tensor ${show(name)}`);
  }

  /** All parameters of that prefix, flat. */
  block(prefix: string): Float32Array {
    return this.flat(prefix, this.layout.parameters, this.layout.parameterCount);
  }

  /** All running statistics of that prefix, flat. */
  buffers(prefix: string): Float32Array {
    return this.flat(prefix, this.layout.buffers, this.layout.blocks.buffers.columns);
  }

  private flat(prefix: string, parts: readonly TensorPlan[], length: number): Float32Array {
    // Shapes first: no more memory than the file justifies.
    const tensors = parts.map(({ name, shape, low }) => this.tensor(`${prefix}${name}`, shape, low));
    const values = new Float32Array(length);
    parts.forEach(({ ref }, i) => {
      values.set(tensors[i].values, ref.within?.offset);
    });
    return values;
  }

  private tensor(name: string, shape: readonly number[], low = Number.NEGATIVE_INFINITY): Tensor {
    const tensor = this.file.tensors.get(name);
    if (!tensor) throw bad(`expected a tensor ${show(name)}, found none`);
    if (tensor.shape.join() !== shape.join()) {
      throw bad(`tensor ${show(name)}: expected the shape ${showShape(shape)}, found ${showShape(tensor.shape)}`);
    }
    const wrong = tensor.values.findIndex((value) => !(Number.isFinite(value) && value >= low));
    if (wrong >= 0) {
      const expected = low === 0 ? "finite numbers of at least 0" : "finite numbers";
      throw bad(`tensor ${show(name)}: expected ${expected}, found ${tensor.values[wrong]} at ${wrong}`);
    }
    this.taken.add(name);
    return tensor;
  }
}

function parse(metadata: TensorFile["metadata"], key: string): unknown {
  try {
    return parseJson(metadata.get(key) ?? "");
  } catch (cause) {
    throw bad(
      `expected JSON in its metadata ${key}, found ${show(metadata.get(key))}: ${(cause as Error).message}`,
      cause,
    );
  }
}

/** What is wrong in a part of a file is the file's fault, not a call's. */
export function inFile<T>(part: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof SimdgradError && cause.code !== "CONFIG") throw cause;
    throw bad(`its ${part} is not valid: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function bad(what: string, cause?: unknown): SimdgradError {
  const text = what.replace(/\.$/, "");
  return new SimdgradError("FORMAT", `load: ${text}.`, "The file is damaged, or another version wrote it.", { cause });
}

/** Puts a file's content into a model that was built from its spec. */
export function restoreModel(engine: Engine, progress: Progress, { weights, buffers, state }: ModelFile): void {
  const { blocks } = engine.plan;
  engine.view(blocks.parameters).set(weights);
  engine.view(blocks.buffers).set(buffers);
  if (!state) return;
  if (state.progress.run && state.progress.run.sums.tally?.length !== engine.plan.tally?.size) {
    throw bad("its tally is not that of its metrics");
  }
  engine.restoreState(state.copy);
  engine.update.rate = state.learningRate;
  Object.assign(progress, state.progress);
}

/** Memory that a file of no size may ask for, and for each of its bytes. */
const FREE_BYTES = 2 ** 26;
const BYTES_A_BYTE = 64;

/** Rows to plan for: fewer than wanted where a file has layers much wider than the data behind them.
 *  Errors: FORMAT when a single row takes too much. */
export function capacityOf(
  { fixed, programs }: Pick<Plan, "fixed" | "programs">,
  wanted: number,
  fileBytes: number,
): number {
  const most = FREE_BYTES + BYTES_A_BYTE * fileBytes;
  for (let rows = wanted; ; rows = Math.floor(rows / 2)) {
    const { end } = place(fixed, programs, rows, 1);
    if (end <= most) return rows;
    if (rows > 1) continue;
    throw new SimdgradError(
      "FORMAT",
      `load: expected a network that takes at most ${most} bytes, as its file has ${fileBytes}, found one that takes ${end}.`,
      "The file is damaged, or made to exhaust memory.",
    );
  }
}
