// Writes a model as a file.
import { SimdgradError, show } from "../errors.ts";
import { HALF_LIMIT, toHalf } from "../io/half.ts";
import { type Tensor, type TensorToWrite, writeSafetensors } from "../io/safetensors.ts";
import { checkBoolean, checkKeys, checkName, orDefault } from "../options.ts";
import type { Engine, StateCopy } from "./engine.ts";
import { BEST, type Counters, FORMAT, limited, MAX_SPEC, PAUSED, type StateJson, VERSION } from "./file.ts";
import { tensorsOf } from "./file-tensors.ts";
import type { Progress, RunState } from "./progress.ts";
import { type UserMetadata, userJson } from "./user-metadata.ts";

/** Options of `save`. */
export interface SaveOptions {
  /** Default true. */
  state?: boolean | undefined;
  /** "f16": half the size, weights only, so not with `state: true`; they are rounded to 11 bits. Default "f32". */
  dtype?: "f32" | "f16" | undefined;
}

/** Equal states give equal bytes. Without `state`, and in halves, no more than predicts, and the user's metadata.
 *  Errors: CONFIG; FORMAT for numbers that are not finite, and weights that no half holds. */
export function writeModel(
  engine: Engine,
  { epoch, run }: Progress,
  user: UserMetadata,
  options: SaveOptions,
): Uint8Array<ArrayBuffer> {
  const { plan } = engine;
  checkKeys("save", options, ["state", "dtype"]);
  const state = checkBoolean("save", "state", orDefault(options.state, true)) && !plan.inference;
  // Asked for by name, a state is not left out without a word.
  const [what, ...names] = options.state ? ["dtype with state: true", "f32"] : ["dtype", "f32", "f16"];
  const half = checkName("save", what, orDefault(options.dtype, "f32"), names) === "f16";
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
  const { rate, step, forwards, bounded } = engine.update;
  // What is undefined leaves no trace in JSON.
  const stateJson = { learningRate: rate, step, forwards, epoch, bounded, run: run && runJson(run) } as StateJson;
  const tensors = tensorsOf(plan, "", present).map(finite);
  if (run?.stopping) tensors.push(...tensorsOf(plan, BEST, run.stopping.state));
  if (run?.paused) tensors.push(...tensorsOf(plan, PAUSED, run.paused));
  return writeSafetensors(tensors, { ...metadata, state: JSON.stringify(stateJson) });
}

/** What a live view was given and no load would take. Errors: FORMAT. */
function finite(tensor: Tensor): Tensor {
  const wrong = tensor.values.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return tensor;
  throw new SimdgradError(
    "FORMAT",
    `save: tensor ${show(tensor.name)}: expected finite numbers, found ${tensor.values[wrong]} at ${wrong}.`,
    "Set finite ones, or load a file of before.",
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
