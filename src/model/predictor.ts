/// <reference lib="esnext.disposable" preserve="true" />
// A saved model that only predicts: what the entry `simdgrad/infer` gives.
import { SimdgradError } from "../errors.ts";
import { allLayers } from "../layers/index.ts";
import { checkCount, checkKeys, orDefault } from "../options.ts";
import { compilePredictor } from "../plan/compile.ts";
import { type NetworkSpec, normalizeLayers } from "../plan/layout.ts";
import type { WasmModule } from "../wasm.ts";
import { Engine } from "./engine.ts";
import { inFile } from "./file.ts";
import { openModel, readSpec } from "./file-header.ts";
import { capacityOf } from "./file-memory.ts";
import { TensorTaker } from "./file-tensors.ts";
import { Inference } from "./inference.ts";
import type { Inputs } from "./matrix.ts";
import { packWeights } from "./packing.ts";
import { readUser, type UserMetadata } from "./user-metadata.ts";

/** Options of `load`. */
export interface PredictorOptions {
  /** Rows that are computed at once; more go in chunks. Default 256. */
  maxBatch?: number | undefined;
}

/** The part of a network that predicts, as plain data. */
export type PredictorSpec = Pick<NetworkSpec, "input" | "layers">;

/** A network that predicts, and its memory. */
export class Predictor {
  /** What the saved model kept beside its network. */
  readonly metadata: UserMetadata;
  readonly spec: PredictorSpec;
  #inference: Inference | undefined;

  /** Use `load`. */
  constructor(inference: Inference, spec: PredictorSpec, metadata: UserMetadata) {
    this.#inference = inference;
    this.spec = spec;
    this.metadata = metadata;
  }

  /** The final activation of each row. Shapes: [rows, outputs], flat. Errors: SHAPE, DATA. */
  predict(x: Inputs): Float32Array<ArrayBuffer> {
    return this.#live("predict").predict(x);
  }

  /** As predict, into `out`, which must have the exact length; returns it. */
  predictInto<Out extends Float32Array>(x: Inputs, out: Out): Out {
    return this.#live("predictInto").predictInto(x, out);
  }

  /** Index of the largest output by row; with one output, whether it is above 0.5. */
  predictClasses(x: Inputs): Int32Array<ArrayBuffer> {
    return this.#live("predictClasses").predictClasses(x);
  }

  /** Lets go of the memory at once; optional. */
  [Symbol.dispose](): void {
    this.#inference = undefined;
  }

  #live(where: string): Inference {
    if (this.#inference) return this.#inference;
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected a predictor in use, received one that is disposed.`,
      "Load it again.",
    );
  }
}

/** Reads a model's file, its training state aside. */
export type LoadPredictor = (bytes: Uint8Array, options?: PredictorOptions) => Predictor;

/** `load` on compiled kernels. Errors: FORMAT, CONFIG, MEMORY, RUNTIME. */
export function loadPredictorOn(module: () => WasmModule): LoadPredictor {
  return (bytes, options = {}) => {
    checkKeys("load", options, ["maxBatch"]);
    const maxBatch = checkCount("load", "maxBatch", orDefault(options.maxBatch, 256));
    const file = openModel(bytes);
    const spec = readSpec(file, (json) => Object.freeze(normalizeLayers(json, allLayers)));
    const plan = inFile("spec", () => compilePredictor({ ...spec, seed: 0 }));
    const taker = new TensorTaker(file, plan);
    const [weights, buffers] = [taker.block(""), taker.buffers("")];
    const capacity = capacityOf(plan, maxBatch, bytes.length);
    const engine = new Engine("load", plan, module(), {
      capacity,
      threads: 1,
      worker: undefined,
      threading: undefined,
    });
    engine.view(plan.blocks.parameters).set(weights);
    packWeights(engine, weights);
    engine.view(plan.blocks.buffers).set(buffers);
    return new Predictor(new Inference(engine), spec, readUser(file));
  };
}
