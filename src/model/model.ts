/// <reference lib="esnext.disposable" preserve="true" />
// The model: what a user holds. It checks who may call what when, and hands on.
import { SimdgradError } from "../errors.ts";
import { checkBoolean, checkKeys, checkName, orDefault } from "../options.ts";
import type { NetworkSpec } from "../plan/layout.ts";
import { type MemoryReport, memoryReport, type PlanReport, planReport, summary } from "../plan/print.ts";
import { checkLearningRate, type LearningRate } from "../schedules.ts";
import type { WasmModule } from "../wasm.ts";
import { apartFrom, type Dataset, type Inputs, type ReadDataset, readDataset, type TargetsInput } from "./data.ts";
import { Engine } from "./engine.ts";
import { type UserMetadata, writeModel } from "./file.ts";
import { epochs, measure } from "./fit.ts";
import { type FitJob, type FitOptions, prepareFit } from "./fit-job.ts";
import { examine, type HealthReport } from "./health.ts";
import { Inference } from "./inference.ts";
import type { Progress } from "./progress.ts";
import type { EpochReport, History, Outcome } from "./reports.ts";
import { type DataSource, isStream, Stream } from "./stream.ts";
import { type Evaluation, Trainer } from "./trainer.ts";
import { type ForwardOptions, modeOf, TwoWay } from "./two-way.ts";
import { readWeights, type WeightRecord } from "./weights.ts";

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

/** Options of `save`. */
export interface SaveOptions {
  /** Default true. */
  state?: boolean | undefined;
  /** "f16": half the size, weights only; they are rounded to 11 bits. Default "f32". */
  dtype?: "f32" | "f16" | undefined;
}

/** Options of `trainBatch`. */
export interface TrainBatchOptions {
  /** One weight a row, >= 0. */
  sampleWeight?: ArrayLike<number> | undefined;
}

/** What a model is made of; all that a dispose has to let go of. */
interface Bound {
  readonly engine: Engine;
  readonly inference: Inference;
  readonly trainer: Trainer;
  /** Absent in a model that only predicts. */
  readonly twoWay: TwoWay | undefined;
}

function bindModel(engine: Engine): Bound {
  const { twoWay } = engine.plan;
  return {
    engine,
    inference: new Inference(engine),
    trainer: new Trainer(engine),
    twoWay: twoWay && new TwoWay(engine, twoWay),
  };
}

/** A network and its memory: trains, predicts, saves. `sequential` and `load` make it. */
export class Model {
  /** Your own keys, e.g. labels or how x was scaled: saved with and without state, loaded and cloned, never read.
   *  `save` checks that every value is a string. */
  readonly metadata: Record<string, string>;
  readonly #module: WasmModule;
  #bound: Bound | undefined;
  readonly #progress: Progress;
  #training = false;

  /** Use `sequential`. */
  constructor(
    engine: Engine,
    module: WasmModule,
    progress: Progress = { epoch: 0, run: undefined },
    metadata: UserMetadata = {},
  ) {
    this.metadata = metadata;
    this.#bound = bindModel(engine);
    this.#module = module;
    this.#progress = progress;
  }

  /** Trains over epochs. The last batch may be short. Yields to the event loop.
   *  Errors: SHAPE, DATA, CONFIG before the first step; NUMERIC; the signal's reason. */
  async fit(data: DataSource, options: FitOptions = {}): Promise<History> {
    const reports: EpochReport[] = [];
    const { engine, trainer } = this.#readyToTrain("fit");
    const training = this.#epochs("fit", prepareFit("fit", data, options, engine, trainer));
    for (;;) {
      const { done, value } = await training.next();
      if (done) return { epochs: reports, ...value };
      reports.push(value);
    }
  }

  /** The same training for `for await`; `break` stops it. */
  train(data: DataSource, options: FitOptions = {}): AsyncGenerator<EpochReport, Outcome, void> {
    const { engine, trainer } = this.#readyToTrain("train");
    return this.#epochs("train", prepareFit("train", data, options, engine, trainer));
  }

  async *#epochs(where: string, job: FitJob): AsyncGenerator<EpochReport, Outcome, void> {
    const { engine, trainer } = this.#startTraining(where);
    try {
      return yield* epochs(engine, trainer, job, this.#progress);
    } finally {
      this.#training = false;
    }
  }

  /** One optimizer step. Shapes: x [rows, input]; y as the loss wants it. The loss before the step.
   *  Errors: SHAPE, DATA, CONFIG, NUMERIC; the model is as before. */
  trainBatch(x: Inputs, y: TargetsInput, options: TrainBatchOptions = {}): number {
    const { engine, trainer } = this.#startTraining("trainBatch");
    try {
      checkKeys("trainBatch", options, ["sampleWeight"]);
      const { sampleWeight } = options;
      const data = readDataset("trainBatch", { x, y, sampleWeight }, engine.plan.spec.input, trainer.targets);
      const room = makeRoom(engine, data);
      return trainer.step("trainBatch", room, { start: 0, count: data.rows });
    } finally {
      this.#training = false;
    }
  }

  /** Loss, accuracy and metrics of a data set in inference mode; of a stream as a promise. Errors: SHAPE, DATA, CONFIG. */
  evaluate(data: Dataset): Evaluation;
  evaluate(data: Exclude<DataSource, Dataset>): Promise<Evaluation>;
  evaluate(data: DataSource): Evaluation | Promise<Evaluation> {
    const { engine, trainer } = this.#live("evaluate");
    this.#needsLoss("evaluate");
    if (isStream(data)) {
      const stream = new Stream("evaluate", data, 1, engine.plan.spec.input, trainer.targets);
      return measure("evaluate", engine, trainer, stream);
    }
    const read = readDataset("evaluate", data, engine.plan.spec.input, trainer.targets);
    const measuring = trainer.startMeasuring();
    for (const _ of trainer.evaluateChunks("evaluate", read, measuring));
    return trainer.measures(measuring);
  }

  /** The final activation of each row, in inference mode. Shapes: [rows, outputs], flat. Errors: SHAPE, DATA. */
  predict(x: Inputs): Float32Array {
    return this.#live("predict").inference.predict(x);
  }

  /** As predict, into `out`, which must have the exact length; returns it. */
  predictInto(x: Inputs, out: Float32Array): Float32Array {
    return this.#live("predictInto").inference.predictInto(x, out);
  }

  /** Index of the largest output by row; with one output, whether it is above 0.5. */
  predictClasses(x: Inputs): Int32Array {
    return this.#live("predictClasses").inference.predictClasses(x);
  }

  /** The final activation, keeping what `backward` needs; with `training: false` as `predict` gives it.
   *  Shapes: [rows, outputs], flat. Errors: SHAPE, DATA. */
  forward(x: Inputs, options: ForwardOptions = {}): Float32Array {
    this.#idle("forward");
    const mode = modeOf(options);
    return this.#needsTraining("forward").forward(x, mode);
  }

  /** Adds the parameter gradients of the last `forward` for dLoss/dOutput; gives dLoss/dInput.
   *  Shapes: dOutput [rows, outputs]; the result [rows, input], flat. Errors: CONFIG without forward; SHAPE, DATA. */
  backward(dOutput: Inputs): Float32Array {
    this.#idle("backward");
    return this.#needsTraining("backward").backward(dOutput);
  }

  /** The optimizer's step on the gradients that are there; does not zero them. Errors: CONFIG, NUMERIC. */
  step(): void {
    const { trainer } = this.#idle("step");
    const twoWay = this.#needsTraining("step");
    this.#needsOptimizer("step");
    twoWay.forget();
    trainer.stepOnGradients();
  }

  /** Sets all gradients to 0. */
  zeroGradients(): void {
    this.#idle("zeroGradients");
    this.gradients.fill(0);
  }

  /** Dead and symmetric units, gradients and updates by layer, with findings in words. Of the gradients that are there, or,
   *  with data, of the loss on it; the model stays as it is. Errors: CONFIG, SHAPE, DATA. */
  health(data?: Dataset): HealthReport {
    const { engine, trainer } = this.#live("health");
    if (data === undefined) return examine(engine, trainer, undefined);
    const twoWay = this.#needsTraining("health");
    this.#needsLoss("health");
    twoWay.forget();
    return examine(engine, trainer, readDataset("health", data, engine.plan.spec.input, trainer.targets));
  }

  /** Every parameter with live views, made anew by each read: a larger training batch may detach held ones. */
  get parameters(): readonly Parameter[] {
    const { engine } = this.#live("parameters");
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
    const { engine } = this.#live("weights");
    return engine.view(engine.plan.blocks.parameters);
  }

  /** All gradients, one flat live view. */
  get gradients(): Float32Array {
    const { engine } = this.#live("gradients");
    return engine.view(engine.plan.blocks.gradients);
  }

  /** Running statistics by name, e.g. "1.runningMean": live views. */
  get buffers(): Readonly<Record<string, Float32Array>> {
    const { engine } = this.#live("buffers");
    return Object.fromEntries(engine.plan.buffers.map(({ name, ref }) => [name, engine.view(ref)]));
  }

  /** Sets all parameters (flat) or those named. Errors: CONFIG for unknown names, SHAPE, DATA; nothing is written then. */
  setWeights(weights: WeightRecord | ArrayLike<number>): void {
    const { engine, twoWay } = this.#idle("setWeights");
    const writes = readWeights(weights, engine.plan);
    twoWay?.forget();
    for (const { ref, values } of writes) engine.view(ref).set(values);
  }

  /** The rate of the optimizer's next step. What is set, also between batches, takes the schedule's place; a schedule
   *  counts all steps of the model. Errors: CONFIG. */
  get learningRate(): number {
    this.#needsOptimizer("learningRate");
    return this.#live("learningRate").engine.update.learningRate;
  }

  /** Takes the place of the rate or schedule in force. */
  set learningRate(rate: LearningRate) {
    this.#needsOptimizer("learningRate");
    this.#live("learningRate").engine.update.rate = checkLearningRate("model", rate);
  }

  /** The network as plain data, defaults filled in. */
  get spec(): NetworkSpec {
    return this.#live("spec").engine.plan.spec;
  }

  /** Bytes by region. */
  get memory(): MemoryReport {
    return memoryReport(this.#live("memory").engine.placement);
  }

  /** The compiled kernel calls. */
  get plan(): PlanReport {
    return planReport(this.#live("plan").engine.plan);
  }

  /** Layers, shapes and parameter counts as a table. */
  summary(): string {
    const { plan, update } = this.#live("summary").engine;
    return summary(plan, update.learningRate);
  }

  /** An equal model with a memory of its own; between the batches of a training too. */
  clone(): Model {
    const { engine } = this.#live("clone");
    const copy = new Engine(engine.plan, this.#module, { ...engine.options, capacity: engine.placement.capacity });
    const { parameters, buffers, gradients, moments } = engine.plan.blocks;
    for (const block of [parameters, buffers, gradients, ...moments]) copy.view(block).set(engine.view(block));
    Object.assign(copy.update, engine.update);
    return makeModel(copy, this.#module, structuredClone(this.#progress), { ...this.metadata });
  }

  /** The model as a safetensors file; the same state and metadata give the same bytes. `state`: with moments, counters and an
   *  interrupted run, so that training goes on bit for bit. Allowed between the batches of a training.
   *  `dtype` "f16": the weights alone, rounded to the nearest half.
   *  Errors: CONFIG; FORMAT for numbers that are not finite, and weights that no half holds. */
  save(options: SaveOptions = {}): Uint8Array {
    const { engine } = this.#live("save");
    checkKeys("save", options, ["state", "dtype"]);
    const state = checkBoolean("save", "state", orDefault(options.state, true)) && !engine.plan.inference;
    const half = checkName("save", "dtype", orDefault(options.dtype, "f32"), ["f32", "f16"]) === "f16";
    return writeModel(engine, this.#progress, this.metadata, { state, half });
  }

  /** Lets go of memory and lanes at once; optional, as an unreachable model is freed anyway. */
  [Symbol.dispose](): void {
    if (!this.#bound) return;
    this.#idle("dispose").engine.lanes?.stop();
    this.#bound = undefined;
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.#bound ? `Model\n${this.summary()}` : "Model, disposed";
  }

  #live(where: string): Bound {
    if (!this.#bound) throw new SimdgradError("CONFIG", `${where}: expected a model in use, this one is disposed.`);
    return this.#bound;
  }

  /** For calls that change the model: not while a training runs. */
  #idle(where: string): Bound {
    const bound = this.#live(where);
    if (this.#training) {
      throw new SimdgradError(
        "CONFIG",
        `${where}: expected an idle model, this one is training.`,
        "Await fit, or finish the loop over train() (break ends it); predict and evaluate are allowed meanwhile.",
      );
    }
    return bound;
  }

  #needsTraining(where: string): TwoWay {
    const { twoWay } = this.#live(where);
    if (twoWay) return twoWay;
    throw new SimdgradError("CONFIG", `${where}: expected a model that trains, this one was loaded with inference.`);
  }

  #readyToTrain(where: string): Bound {
    const bound = this.#idle(where);
    this.#needsTraining(where);
    this.#needsLoss(where);
    this.#needsOptimizer(where);
    return bound;
  }

  #startTraining(where: string): Bound {
    const bound = this.#readyToTrain(where);
    this.#training = true;
    bound.twoWay?.forget();
    return bound;
  }

  #needsLoss(where: string): void {
    if (this.#live(where).engine.plan.spec.loss) return;
    throw new SimdgradError("CONFIG", `${where}: expected a model with a loss.`, "Pass `loss` to sequential.");
  }

  #needsOptimizer(where: string): void {
    if (this.#live(where).engine.plan.spec.optimizer) return;
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected a model with an optimizer.`,
      "Pass `optimizer` to sequential.",
    );
  }
}

/** Apart, for a class that names itself is renamed by bundlers, and its instances print so. */
function makeModel(...parts: ConstructorParameters<typeof Model>): Model {
  return new Model(...parts);
}

/** Plans for these rows if need be; data that lies in the model's own memory, which may move, is copied out first. */
function makeRoom(engine: Engine, data: ReadDataset): ReadDataset {
  if (data.rows <= engine.placement.capacity) return data;
  const { buffer } = engine.f32;
  const { kind, matrix } = data.targets;
  const apart = { ...data, x: apartFrom(data.x, buffer), targets: { kind, matrix: apartFrom(matrix, buffer) } };
  engine.ensureCapacity(data.rows);
  return apart;
}
