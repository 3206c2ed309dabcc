/// <reference lib="esnext.disposable" preserve="true" />
// The model: what a user holds. It checks who may call what when, and hands on.
import { SimdgradError } from "../errors.ts";
import type { NetworkSpec } from "../plan/layout.ts";
import { type MemoryReport, memoryReport, type PlanReport, planReport, summary } from "../plan/print.ts";
import { checkLearningRate, type LearningRate } from "../schedules.ts";
import { type Bound, bindModel, needsPart, needsTraining } from "./bound.ts";
import { type Dataset, readDataset } from "./data.ts";
import { copyEngine, type Engine } from "./engine.ts";
import { evaluate } from "./evaluate.ts";
import { epochs } from "./fit.ts";
import { type FitJob, prepareFit } from "./fit-job.ts";
import type { FitOptions } from "./fit-options.ts";
import { examine } from "./health.ts";
import type { HealthReport } from "./health-report.ts";
import type { Inputs } from "./matrix.ts";
import type { Progress } from "./progress.ts";
import type { EpochReport, History, Outcome } from "./reports.ts";
import type { DataSource } from "./stream.ts";
import type { TargetsInput } from "./targets.ts";
import { type TrainBatchOptions, trainBatch } from "./train-batch.ts";
import type { Evaluation } from "./trainer.ts";
import { type ForwardOptions, modeOf } from "./two-way.ts";
import type { UserMetadata } from "./user-metadata.ts";
import { bufferViews, type Parameter, parameterViews } from "./views.ts";
import { readWeights, type WeightRecord } from "./weights.ts";
import { type SaveOptions, writeModel } from "./write-model.ts";

/** A network and its memory: trains, predicts, saves. `sequential` and `load` make it. */
export class Model {
  /** Your own keys, e.g. labels or how x was scaled: saved with and without state, loaded and cloned, never read.
   *  `save` checks that every value is a string. */
  readonly metadata: Record<string, string>;
  #bound: Bound | undefined;
  readonly #progress: Progress;
  #training = false;

  /** Use `sequential`. */
  constructor(engine: Engine, progress: Progress = { epoch: 0, run: undefined }, metadata: UserMetadata = {}) {
    this.metadata = metadata;
    this.#bound = bindModel(engine);
    this.#progress = progress;
  }

  /** Trains over epochs. The last batch may be short. Yields to the event loop.
   *  Errors: SHAPE, DATA, CONFIG before the first step; NUMERIC; the signal's reason. */
  async fit(data: DataSource, options: FitOptions = {}): Promise<History> {
    const reports: EpochReport[] = [];
    const training = this.#start("fit", data, options);
    for (;;) {
      const { done, value } = await training.next();
      if (done) return { epochs: reports, ...value };
      reports.push(value);
    }
  }

  /** The same training for `for await`; `break` stops it. From the first report asked for until the last, or `break` or
   *  `return()`, the model is training, also when nobody asks any more.
   *  Errors: as fit, options and shapes at the call; whether inputs are finite is looked at with the first report, in
   *  turns, so that large data hold nothing up. */
  train(data: DataSource, options: FitOptions = {}): AsyncGenerator<EpochReport, Outcome, void> {
    return this.#start("train", data, options);
  }

  /** Checks everything at once; what it gives trains when it is asked for its first report. */
  #start(where: string, data: DataSource, options: FitOptions): AsyncGenerator<EpochReport, Outcome, void> {
    const { trainer } = this.#readyToTrain(where);
    return this.#epochs(prepareFit(where, data, options, trainer));
  }

  async *#epochs(job: FitJob): AsyncGenerator<EpochReport, Outcome, void> {
    const { trainer } = this.#startTraining(job.where);
    try {
      return yield* epochs(trainer, job, this.#progress);
    } finally {
      this.#training = false;
    }
  }

  /** One optimizer step. Shapes: x [rows, input]; y as the loss wants it. The loss before the step.
   *  Errors: SHAPE, DATA, CONFIG, NUMERIC; the model is as before. */
  trainBatch(x: Inputs, y: TargetsInput, options: TrainBatchOptions = {}): number {
    const { trainer } = this.#startTraining("trainBatch");
    try {
      const loss = trainBatch(trainer, x, y, options);
      this.#letGo();
      return loss;
    } finally {
      this.#training = false;
    }
  }

  /** Loss, accuracy and metrics of a data set in inference mode; of a stream as a promise. Errors: SHAPE, DATA, CONFIG. */
  evaluate(data: Dataset): Evaluation;
  evaluate(data: Exclude<DataSource, Dataset>): Promise<Evaluation>;
  evaluate(data: DataSource): Evaluation | Promise<Evaluation>;
  evaluate(data: DataSource): Evaluation | Promise<Evaluation> {
    const bound = this.#live("evaluate");
    needsPart("evaluate", bound, "loss");
    return evaluate(bound.trainer, data);
  }

  /** The final activation of each row, in inference mode. Shapes: [rows, outputs], flat. Errors: SHAPE, DATA. */
  predict(x: Inputs): Float32Array<ArrayBuffer> {
    return this.#live("predict").inference.predict(x);
  }

  /** As predict, into `out`, which must have the exact length; returns it. Allocates nothing when x is a Float32Array of at
   *  most `maxBatch` rows. Errors: as predict; nothing is written then, but by RUNTIME of a lost thread whole chunks. */
  predictInto<Out extends Float32Array>(x: Inputs, out: Out): Out {
    return this.#live("predictInto").inference.predictInto(x, out);
  }

  /** Index of the largest output by row; with one output, whether it is above 0.5. */
  predictClasses(x: Inputs): Int32Array<ArrayBuffer> {
    return this.#live("predictClasses").inference.predictClasses(x);
  }

  /** The final activation, keeping what `backward` needs; with `training: false` as `predict` gives it.
   *  Shapes: [rows, outputs], flat. Errors: SHAPE, DATA. */
  forward(x: Inputs, options: ForwardOptions = {}): Float32Array<ArrayBuffer> {
    const bound = this.#idle("forward");
    const mode = modeOf(options);
    return needsTraining("forward", bound).forward(x, mode);
  }

  /** Adds the parameter gradients of the last `forward` for dLoss/dOutput; gives dLoss/dInput. Once for each `forward`, and
   *  before the next, `step`, `setWeights`, `trainBatch`, `fit`, `train` and `health(data)`, which end it.
   *  Shapes: dOutput [rows, outputs]; the result [rows, input], flat. Errors: CONFIG without forward; SHAPE, DATA. */
  backward(dOutput: Inputs): Float32Array<ArrayBuffer> {
    return needsTraining("backward", this.#idle("backward")).backward(dOutput);
  }

  /** The optimizer's step on the gradients that are there; does not zero them. Errors: CONFIG, NUMERIC. */
  step(): void {
    const bound = this.#idle("step");
    const twoWay = needsTraining("step", bound);
    needsPart("step", bound, "optimizer");
    twoWay.forget();
    bound.trainer.stepOnGradients();
    this.#letGo();
  }

  /** Sets all gradients to 0. */
  zeroGradients(): void {
    this.#idle("zeroGradients");
    this.gradients.fill(0);
  }

  /** Dead and symmetric units, gradients and updates by layer, with findings in words. Of the gradients that are there, or,
   *  with data, of the loss on it; the model stays as it is. Errors: CONFIG, SHAPE, DATA. */
  health(data?: Dataset): HealthReport {
    const bound = this.#live("health");
    const { trainer } = bound;
    if (data === undefined) return examine(trainer, undefined);
    const twoWay = needsTraining("health", bound);
    needsPart("health", bound, "loss");
    twoWay.forget();
    return examine(trainer, readDataset("health", data, trainer.shape));
  }

  /** Every parameter with live views, made anew by each read: a larger training batch may detach held ones. */
  get parameters(): readonly Parameter[] {
    return parameterViews(this.#live("parameters").engine);
  }

  /** All parameters, one flat live view. */
  get weights(): Float32Array {
    const { engine } = this.#live("weights");
    engine.isExposed = true;
    return engine.view(engine.plan.blocks.parameters);
  }

  /** All gradients, one flat live view. */
  get gradients(): Float32Array {
    const { engine } = this.#live("gradients");
    return engine.view(engine.plan.blocks.gradients);
  }

  /** Running statistics by name, e.g. "1.runningMean": live views. */
  get buffers(): Readonly<Record<string, Float32Array>> {
    return bufferViews(this.#live("buffers").engine);
  }

  /** Sets all parameters (flat) or those named; an interrupted run that is resumed goes on from them. Errors: CONFIG for unknown names, SHAPE, DATA; nothing is written then. */
  setWeights(weights: WeightRecord | ArrayLike<number>): void {
    const { engine, twoWay } = this.#idle("setWeights");
    const writes = readWeights(weights, engine.plan);
    twoWay?.forget();
    for (const { ref, values } of writes) engine.view(ref).set(values);
    engine.most = undefined;
    this.#letGo();
  }

  /** The rate of the optimizer's next step. What is set, also between batches, takes the schedule's place; a schedule
   *  counts all steps of the model. Errors: CONFIG. */
  get learningRate(): number {
    return this.#clock().learningRate;
  }

  /** Takes the place of the rate or schedule in force. */
  set learningRate(rate: LearningRate) {
    this.#clock().rate = checkLearningRate("learningRate", rate);
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
    return makeModel(copyEngine(engine), structuredClone(this.#progress), { ...this.metadata });
  }

  /** The model as a safetensors file; the same state and metadata give the same bytes. `state`: with moments, counters and an
   *  interrupted run, so that training goes on bit for bit. Allowed between the batches of a training.
   *  `dtype` "f16": the weights alone, rounded to the nearest half.
   *  Errors: CONFIG; FORMAT for numbers that are not finite, and weights that no half holds. */
  save(options: SaveOptions = {}): Uint8Array<ArrayBuffer> {
    const { engine } = this.#live("save");
    return writeModel(engine, this.#progress, this.metadata, options);
  }

  /** Lets go of memory and lanes at once; optional, as an unreachable model is freed anyway. */
  [Symbol.dispose](): void {
    if (!this.#bound) return;
    const { engine } = this.#bound;
    if (!engine.torn) this.#idle("dispose");
    engine.lanes?.stop();
    this.#bound = undefined;
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    if (this.#bound?.engine.torn) return "Model, torn";
    return this.#bound ? `Model\n${this.summary()}` : "Model, disposed";
  }

  #live(where: string): Bound {
    if (!this.#bound) {
      throw new SimdgradError(
        "CONFIG",
        `${where}: expected a model in use, received one that is disposed.`,
        "Build or load another; clone() before the end keeps one.",
      );
    }
    if (this.#bound.engine.torn) throw this.#bound.engine.torn;
    return this.#bound;
  }

  /** For calls that change the model: not while a training runs. */
  #idle(where: string): Bound {
    const bound = this.#live(where);
    if (this.#training) {
      throw new SimdgradError(
        "CONFIG",
        `${where}: expected an idle model, received one that is training.`,
        "Await fit, or end what train() gave by break or its return(); predict and evaluate are allowed meanwhile, and clone() is free.",
      );
    }
    return bound;
  }

  #readyToTrain(where: string): Bound {
    const bound = this.#idle(where);
    needsTraining(where, bound);
    needsPart(where, bound, "loss");
    needsPart(where, bound, "optimizer");
    return bound;
  }

  #startTraining(where: string): Bound {
    const bound = this.#readyToTrain(where);
    this.#training = true;
    bound.twoWay?.forget();
    return bound;
  }

  /** An interrupted run goes on from the model as it is now, not as it was then. */
  #letGo(): void {
    const { run } = this.#progress;
    if (run) run.paused = undefined;
  }

  /** Where the optimizer is. */
  #clock(): Engine["update"] {
    const bound = this.#live("learningRate");
    needsPart("learningRate", bound, "optimizer");
    return bound.engine.update;
  }
}

/** Apart, for a class that names itself is renamed by bundlers, and its instances print so. */
function makeModel(...parts: ConstructorParameters<typeof Model>): Model {
  return new Model(...parts);
}
