// The model: what a user holds. It checks who may call what when, and hands on.
import { SimdgradError } from "../errors.ts";
import { checkLearningRate } from "../optimizers/index.ts";
import { checkBoolean, checkCount, checkKeys, checkName } from "../options.ts";
import { place } from "../plan/arena.ts";
import { compile } from "../plan/compile.ts";
import { type NetworkConfig, type NetworkSpec, normalizeNetwork } from "../plan/layout.ts";
import { type MemoryReport, memoryReport, type PlanReport, planReport, summary } from "../plan/print.ts";
import { type ModuleSource, SIMD_MODES, type Simd } from "../runtime/module.ts";
import { copyRows, loadInputs } from "./batches.ts";
import { checkFinite, type Dataset, type Inputs, readDataset, readMatrix, type TargetsInput } from "./data.ts";
import { diverged } from "./divergence.ts";
import { Engine, type RunList } from "./engine.ts";
import { epochs, type FitOptions, means, prepareFit } from "./fit.ts";
import { Inference } from "./inference.ts";
import type { EpochReport, History, Outcome } from "./reports.ts";
import { Trainer } from "./trainer.ts";
import { readWeights, type WeightRecord } from "./weights.ts";

/** What belongs to the run and not to the network. */
export interface RunOptions {
  /** `"strict"`, the default: the same bits on every engine. `"relaxed"`: quicker, its bits not promised, RUNTIME
   *  where the engine lacks it. `"auto"`: relaxed where it is. */
  simd?: Simd;
  /** Default 1. */
  threads?: number;
  /** Rows that activations are planned for; larger training batches plan anew. Default 256. */
  maxBatch?: number;
}

export interface SequentialConfig extends NetworkConfig, RunOptions {}

/** One parameter of a model; the arrays are live views. */
export interface Parameter {
  /** e.g. "0.kernel". */
  readonly name: string;
  readonly shape: readonly number[];
  readonly value: Float32Array;
  readonly gradient: Float32Array;
  /** As many as the optimizer keeps, e.g. Adam's m and v. */
  readonly moments: readonly Float32Array[];
}

export interface Evaluation {
  loss: number;
  /** For classifiers: the share of right answers. */
  accuracy?: number;
}

const CONFIG_KEYS = ["input", "layers", "loss", "optimizer", "seed", "simd", "threads", "maxBatch"];

interface CheckedConfig {
  readonly spec: NetworkSpec;
  readonly maxBatch: number;
  readonly simd: Simd;
}

function checkConfig(where: string, config: SequentialConfig): CheckedConfig {
  checkKeys(where, config, CONFIG_KEYS);
  const { simd = "strict", threads = 1, maxBatch = 256 } = config;
  checkName(where, "simd", simd, SIMD_MODES);
  checkCount(where, "threads", threads);
  if (threads !== 1) {
    throw new SimdgradError(
      "RUNTIME",
      `${where}: expected threads 1, received ${threads}.`,
      "This version runs on one thread.",
    );
  }
  return { spec: normalizeNetwork(config), maxBatch: checkCount(where, "maxBatch", maxBatch), simd };
}

/** Bytes by region that a model of this config takes, before it is built. Errors: CONFIG. */
export function planMemory(config: SequentialConfig): MemoryReport {
  const { spec, maxBatch } = checkConfig("planMemory", config);
  const plan = compile(spec);
  return memoryReport(place(plan.fixed, plan.programs, maxBatch));
}

/** Builds a model and initializes its parameters. Errors: CONFIG, MEMORY, RUNTIME. */
export function createModel(config: SequentialConfig, source: ModuleSource): Model {
  const { spec, maxBatch, simd } = checkConfig("sequential", config);
  const module = source(simd);
  const engine = new Engine(compile(spec), module, maxBatch);
  engine.list(engine.plan.initialize.steps).run(1);
  return new Model(engine, module);
}

export class Model {
  readonly #module: WebAssembly.Module;
  readonly #inference: Inference;
  readonly #trainer: Trainer;
  readonly #forward: RunList;
  readonly #backward: RunList;
  #engine: Engine | undefined;
  readonly #counter = { epoch: 0 };
  /** Rows of the forward whose backward may come; 0 when there is none. */
  #forwardRows = 0;
  #training = false;

  /** Use `sequential`. */
  constructor(engine: Engine, module: WebAssembly.Module) {
    const { steps, forwardSteps } = engine.plan.twoWay;
    this.#engine = engine;
    this.#module = module;
    this.#inference = new Inference(engine);
    this.#trainer = new Trainer(engine);
    this.#forward = engine.list(steps.slice(0, forwardSteps));
    this.#backward = engine.list(steps.slice(forwardSteps));
  }

  /** Trains over epochs. The last batch may be short. Yields to the event loop.
   *  Errors: SHAPE, DATA, CONFIG before the first step; NUMERIC; the signal's reason. */
  async fit(data: Dataset, options: FitOptions = {}): Promise<History> {
    const reports: EpochReport[] = [];
    const training = this.#epochs("fit", data, options);
    for (;;) {
      const { done, value } = await training.next();
      if (done) return { epochs: reports, ...value };
      reports.push(value);
    }
  }

  /** The same training for `for await`; `break` stops it. */
  train(data: Dataset, options: FitOptions = {}): AsyncGenerator<EpochReport, Outcome, void> {
    return this.#epochs("train", data, options);
  }

  async *#epochs(where: string, data: Dataset, options: FitOptions): AsyncGenerator<EpochReport, Outcome, void> {
    const engine = this.#startTraining(where);
    try {
      const job = prepareFit(where, data, options, engine, this.#trainer);
      return yield* epochs(engine, this.#trainer, job, this.#counter);
    } finally {
      this.#training = false;
    }
  }

  /** One optimizer step. Shapes: x [rows, input]; y as the loss wants it. The loss before the step.
   *  Errors: SHAPE, DATA, CONFIG, NUMERIC; the model is as before. */
  trainBatch(x: Inputs, y: TargetsInput, options: { sampleWeight?: ArrayLike<number> } = {}): number {
    const engine = this.#startTraining("trainBatch");
    try {
      checkKeys("trainBatch", options, ["sampleWeight"]);
      const { sampleWeight } = options;
      const data = readDataset("trainBatch", { x, y, sampleWeight }, engine.plan.spec.input, this.#trainer.targets);
      engine.ensureCapacity(data.rows);
      return this.#trainer.step("trainBatch", data, { start: 0, count: data.rows });
    } finally {
      this.#training = false;
    }
  }

  /** Loss and accuracy of a data set in inference mode. Errors: SHAPE, DATA, CONFIG. */
  evaluate(data: Dataset): Evaluation {
    const { spec } = this.#live("evaluate").plan;
    this.#needsLoss("evaluate");
    return means(this.#trainer.evaluate("evaluate", readDataset("evaluate", data, spec.input, this.#trainer.targets)));
  }

  /** The final activation of each row, in inference mode. Shapes: [rows, outputs], flat. Errors: SHAPE, DATA. */
  predict(x: Inputs): Float32Array {
    this.#live("predict");
    return this.#inference.predict(x);
  }

  /** As predict, into `out`, which must have the exact length; returns it. */
  predictInto(x: Inputs, out: Float32Array): Float32Array {
    this.#live("predictInto");
    return this.#inference.predictInto(x, out);
  }

  /** Index of the largest output by row; with one output, whether it is above 0.5. */
  predictClasses(x: Inputs): Int32Array {
    this.#live("predictClasses");
    return this.#inference.predictClasses(x);
  }

  /** The final activation, keeping what `backward` needs. Shapes: [rows, outputs], flat. Errors: SHAPE, DATA. */
  forward(x: Inputs, options: { training?: boolean } = {}): Float32Array {
    const engine = this.#idle("forward");
    checkKeys("forward", options, ["training"]);
    checkBoolean("forward", "training", options.training ?? true);
    const { spec, outputs, twoWay } = engine.plan;
    const matrix = readMatrix("forward", "x", x, spec.input);
    engine.ensureCapacity(matrix.rows);
    this.#forwardRows = 0;
    loadInputs("forward", engine, twoWay.x, matrix, { start: 0, count: matrix.rows });
    this.#forward.run(matrix.rows);
    this.#forwardRows = matrix.rows;
    return engine.view(twoWay.output, matrix.rows * outputs).slice();
  }

  /** Adds the parameter gradients of the last `forward` for dLoss/dOutput; gives dLoss/dInput.
   *  Shapes: dOutput [rows, outputs]; the result [rows, input], flat. Errors: CONFIG without forward; SHAPE, DATA. */
  backward(dOutput: Inputs): Float32Array {
    const engine = this.#idle("backward");
    const { spec, outputs, twoWay } = engine.plan;
    const rows = this.#forwardRows;
    if (rows === 0) {
      throw new SimdgradError(
        "CONFIG",
        "backward: expected a forward before it, found none that is still valid.",
        "Call forward(x) first; trainBatch, fit and backward itself use it up.",
      );
    }
    const matrix = readMatrix("backward", "dOutput", dOutput, outputs);
    if (matrix.rows !== rows) {
      throw new SimdgradError(
        "SHAPE",
        `backward: expected dOutput to have ${rows} rows, as the last forward had, received ${matrix.rows}.`,
      );
    }
    checkFinite("backward", "dOutput", matrix);
    copyRows(engine.f32, engine.address(twoWay.dOutput), matrix, { start: 0, count: rows });
    this.#forwardRows = 0;
    this.#backward.run(rows);
    return engine.view(twoWay.dInput, rows * spec.input).slice();
  }

  /** The optimizer's step on the gradients that are there; does not zero them. Errors: CONFIG, NUMERIC. */
  step(): void {
    const engine = this.#idle("step");
    this.#needsOptimizer("step");
    if (!this.#trainer.gradientsAreFinite()) throw diverged(engine, "a gradient is not finite");
    this.#trainer.applyUpdate();
  }

  zeroGradients(): void {
    this.#idle("zeroGradients");
    this.gradients.fill(0);
  }

  /** Every parameter with live views, made anew by each read: a larger training batch may detach held ones. */
  get parameters(): readonly Parameter[] {
    const engine = this.#live("parameters");
    const { plan } = engine;
    return plan.parameters.map(({ name, shape, ref, gradient }) => ({
      name,
      shape,
      value: engine.view(ref),
      gradient: engine.view(gradient),
      moments: plan.blocks.moments.map((block) => {
        const start = ref.within?.offset as number;
        return engine.view(block).subarray(start, start + ref.columns);
      }),
    }));
  }

  /** All parameters, one flat live view. */
  get weights(): Float32Array {
    const engine = this.#live("weights");
    return engine.view(engine.plan.blocks.parameters);
  }

  /** All gradients, one flat live view. */
  get gradients(): Float32Array {
    const engine = this.#live("gradients");
    return engine.view(engine.plan.blocks.gradients);
  }

  /** Running statistics by name; empty while no layer keeps any. */
  get buffers(): Readonly<Record<string, Float32Array>> {
    this.#live("buffers");
    return {};
  }

  /** Sets all parameters (flat) or those named. Errors: CONFIG for unknown names, SHAPE, DATA; nothing is written then. */
  setWeights(weights: WeightRecord | ArrayLike<number>): void {
    const engine = this.#idle("setWeights");
    for (const { ref, values } of readWeights(weights, engine.plan)) engine.view(ref).set(values);
  }

  /** The optimizer's present rate; may be set between steps. Errors: CONFIG. */
  get learningRate(): number {
    this.#needsOptimizer("learningRate");
    return this.#live("learningRate").update.learningRate;
  }

  set learningRate(rate: number) {
    this.#needsOptimizer("learningRate");
    this.#live("learningRate").update.learningRate = checkLearningRate("learningRate", rate);
  }

  /** The network as plain data, defaults filled in. */
  get spec(): NetworkSpec {
    return this.#live("spec").plan.spec;
  }

  get memory(): MemoryReport {
    return memoryReport(this.#live("memory").placement);
  }

  get plan(): PlanReport {
    return planReport(this.#live("plan").plan);
  }

  summary(): string {
    return summary(this.#live("summary").plan);
  }

  /** An equal model with a memory of its own. */
  clone(): Model {
    const engine = this.#idle("clone");
    const copy = new Engine(engine.plan, this.#module, engine.placement.capacity);
    const { parameters, gradients, moments } = engine.plan.blocks;
    for (const block of [parameters, gradients, ...moments]) copy.view(block).set(engine.view(block));
    Object.assign(copy.update, engine.update);
    const model = new Model(copy, this.#module);
    model.#counter.epoch = this.#counter.epoch;
    return model;
  }

  save(_options: { state?: boolean; dtype?: "f32" | "f16" } = {}): Uint8Array {
    throw new SimdgradError("RUNTIME", "save is not in this version.", "Keep model.spec and model.weights.");
  }

  /** Lets go of the memory at once; optional, as an unreachable model is freed anyway. */
  [Symbol.dispose](): void {
    this.#idle("dispose");
    this.#engine = undefined;
  }

  #live(where: string): Engine {
    if (!this.#engine) throw new SimdgradError("CONFIG", `${where}: expected a model in use, this one is disposed.`);
    return this.#engine;
  }

  /** For calls that change the model: not while a training runs. */
  #idle(where: string): Engine {
    const engine = this.#live(where);
    if (this.#training) {
      throw new SimdgradError(
        "CONFIG",
        `${where}: expected an idle model, this one is training.`,
        "Await fit first; predict and evaluate are allowed meanwhile.",
      );
    }
    return engine;
  }

  #startTraining(where: string): Engine {
    const engine = this.#idle(where);
    this.#needsLoss(where);
    this.#needsOptimizer(where);
    this.#training = true;
    this.#forwardRows = 0;
    return engine;
  }

  #needsLoss(where: string): void {
    if (this.#live(where).plan.spec.loss) return;
    throw new SimdgradError("CONFIG", `${where}: expected a model with a loss.`, "Pass `loss` to sequential.");
  }

  #needsOptimizer(where: string): void {
    if (this.#live(where).plan.spec.optimizer) return;
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected a model with an optimizer.`,
      "Pass `optimizer` to sequential.",
    );
  }
}
