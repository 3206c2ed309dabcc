// Reads a model's file, checks all of it against its own spec, and puts it into a model.
import type { LayerRules } from "../contract.ts";
import { show } from "../errors.ts";
import { allLayers } from "../layers/index.ts";
import { checkBoolean, checkCount, checkKeys, checkNumber, checkObject } from "../options.ts";
import { layOut, momentsOf, type NetworkSpec, normalizeNetwork } from "../plan/layout.ts";
import { checkLearningRate, type LearningRate, readLearningRate } from "../schedules.ts";
import type { Engine, StateCopy } from "./engine.ts";
import { BEST, badFile, type Counters, inFile, PAUSED, type StateJson } from "./file.ts";
import { openModel, parseEntry, readSpec } from "./file-header.ts";
import { TensorTaker } from "./file-tensors.ts";
import type { Progress, RunState } from "./progress.ts";
import { readUser, type UserMetadata } from "./user-metadata.ts";

/** A file that was read and checked against its own spec; no model is built for it yet. */
export interface ModelFile {
  readonly spec: NetworkSpec;
  readonly weights: Float32Array;
  readonly buffers: Float32Array;
  readonly metadata: UserMetadata;
  readonly state:
    | {
        readonly learningRate: LearningRate;
        readonly bounded: boolean | undefined;
        readonly copy: StateCopy;
        readonly progress: Progress;
      }
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
  const state = metadata.has("state") ? readState(parseEntry(metadata, "state") as StateJson, taker) : undefined;
  for (const name of file.tensors.keys()) if (!taker.taken.has(name)) throw badFile(`unknown tensor ${show(name)}`);
  return { spec, weights, buffers, state, metadata: readUser(file) };
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
    checkKeys("state", json, ["learningRate", "step", "forwards", "epoch", "bounded", "run"]);
    const { bounded } = json;
    if (bounded !== undefined) checkBoolean("state", "bounded", bounded);
    const copy = readCopy(json, taker, "");
    const learningRate = checkLearningRate("state", readLearningRate(json.learningRate));
    const epoch = checkCount("state", "epoch", json.epoch, 0);
    return {
      learningRate,
      bounded,
      copy,
      progress: { epoch, run: json.run === undefined ? undefined : readRun(json.run, taker) },
    };
  });
}

function readCopy({ step, forwards }: Counters, taker: TensorTaker, prefix: string): StateCopy {
  return {
    step: checkCount("state", "step", step, 0),
    forwards: checkCount("state", "forwards", forwards, 0),
    blocks: ["", ...taker.layout.momentNames.map((name) => `${name}.`)].map((part) => taker.block(`${prefix}${part}`)),
    buffers: taker.buffers(prefix),
  };
}

function readRun(json: NonNullable<StateJson["run"]>, taker: TensorTaker): RunState {
  checkKeys("run", json, ["rows", "batchSize", "done", "batch", "sums", "best", "paused"]);
  checkKeys("sums", json.sums, ["loss", "weight", "correct", "answers", "tally"]);
  const { loss, weight, correct, answers, tally } = json.sums;
  if (tally !== undefined && !(Array.isArray(tally) && tally.every(Number.isFinite)))
    throw badFile("its tally is no numbers");
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

/** Puts a file's content into a model that was built from its spec. */
export function restoreModel(engine: Engine, progress: Progress, { weights, buffers, state }: ModelFile): void {
  const { blocks } = engine.plan;
  engine.view(blocks.parameters).set(weights);
  engine.view(blocks.buffers).set(buffers);
  if (!state) return;
  if (state.progress.run && state.progress.run.sums.tally?.length !== engine.plan.tally?.size) {
    throw badFile("its tally is not that of its metrics");
  }
  engine.restoreState(state.copy);
  engine.update.rate = state.learningRate;
  engine.update.bounded = state.bounded;
  Object.assign(progress, state.progress);
}
