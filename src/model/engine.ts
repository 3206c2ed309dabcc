// A plan bound to an instance: addresses, views and runnable lists. It knows no layers and no user data.
import type { BufferRef, Magnitudes, Step, UpdateState } from "../contract.ts";
import type { SimdgradError } from "../errors.ts";
import { type Placement, place } from "../plan/arena.ts";
import { bind, type Call, run } from "../plan/bind.ts";
import type { Plan } from "../plan/compile.ts";
import type { Kernels } from "../runtime/abi.ts";
import { ensureBytes, type Instance, instantiate } from "../runtime/instance.ts";
import type { Gate, LaneWorker } from "../runtime/lanes.ts";
import { type LearningRate, rateAt } from "../schedules.ts";
import type { WasmModule } from "../wasm.ts";

export interface EngineOptions {
  /** Rows that activations are planned for. */
  readonly capacity: number;
  readonly threads: number;
  readonly worker: (() => LaneWorker) | undefined;
  /** Where there can be lanes. */
  readonly threading: Threading | undefined;
}

/** How lists run on several lanes. */
export interface Threading {
  /** Errors: CONFIG, RUNTIME where memory cannot be shared. */
  check(where: string, count: number): void;
  /** A list as all lanes run it: as RunList's, or undefined while one lane has to. Undefined where one is enough.
   *  Errors: RUNTIME when workers cannot start or a lane died. */
  share(engine: Engine, parts: Parts, rows: number): SharedRun | undefined;
}

type Parts = readonly (readonly Step[])[];

interface SharedRun {
  run(gate?: Gate): number | undefined;
  /** It is run no more. */
  forget(): void;
}

/** Row counts whose bound lists are kept; serving many sizes must not grow without end. */
const KEPT_ROW_COUNTS = 64;

export interface StateCopy {
  readonly step: number;
  readonly forwards: number;
  /** Parameters and moments. */
  readonly blocks: readonly Float32Array[];
  readonly buffers: Float32Array;
}

/** Where the optimizer is: what the scalars of the update list read. */
class UpdateClock implements UpdateState {
  /** A number, or the schedule in force. */
  rate: LearningRate;
  step = 0;
  forwards = 0;
  /** Whether a loss may be too large to go on; undefined before the first step. */
  bounded: boolean | undefined;

  constructor(rate: LearningRate) {
    this.rate = rate;
  }

  /** The rate of the next step. */
  get learningRate(): number {
    return rateAt(this.rate, this.step);
  }
}

export class Engine {
  readonly plan: Plan;
  readonly kernels: Kernels;
  readonly update: UpdateClock;
  /** Every buffer that the memory has had: a shared one that grew leaves older ones of the same bytes. */
  readonly buffers = new WeakSet<ArrayBufferLike>();
  /** The whole memory; made anew when it grows. */
  f32!: Float32Array;
  i32!: Int32Array;
  /** What the last loss kernel wrote: sum of weighted losses, sum of weights; then what makes sums go on. */
  sums!: Float64Array;
  placement: Placement;
  /** Counts re-plannings: bound lists of an older one are stale. */
  generation = 0;
  /** Started by the first list that is worth it: a small model never starts a worker. */
  lanes: { stop(): void } | undefined;
  /** What parameters and moments are at most; undefined once they came from outside. */
  most: Magnitudes | undefined;
  /** Somebody may write parameters and moments at any time. */
  isExposed: boolean;
  /** After an update that stopped halfway: nothing may read or write the weights again. */
  torn: SimdgradError | undefined;
  readonly options: EngineOptions;
  readonly instance: Instance;
  readonly module: WasmModule;

  /** Errors: MEMORY when capacity rows of this plan do not fit. */
  constructor(where: string, plan: Plan, module: WasmModule, options: EngineOptions) {
    const { capacity, threads } = options;
    this.plan = plan;
    this.options = options;
    this.placement = place(plan.fixed, plan.programs, capacity, threads);
    this.instance = instantiate(module, { where, bytes: this.placement.end }, threads > 1);
    this.module = module;
    this.isExposed = plan.hosted;
    this.kernels = this.instance.kernels;
    this.update = new UpdateClock(plan.spec.optimizer?.learningRate ?? 0);
    this.renewViews();
  }

  private renewViews(): void {
    const { buffer } = this.instance.memory;
    this.buffers.add(buffer);
    this.f32 = new Float32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.sums = new Float64Array(buffer, this.address(this.plan.sums), 7);
  }

  /** Makes room for batches of `rows`: what the batch does not size keeps its address and content. Errors: MEMORY. */
  ensureCapacity(where: string, rows: number): void {
    if (rows <= this.placement.capacity) return;
    const { plan, instance } = this;
    const placement = place(plan.fixed, plan.programs, rows, this.options.threads);
    ensureBytes(instance.memory, { where, bytes: placement.end });
    this.placement = placement;
    this.renewViews();
    this.generation++;
  }

  address(buffer: BufferRef): number {
    return this.placement.address(buffer);
  }

  /** A live view of `length` floats of a buffer. */
  view(buffer: BufferRef, length: number = buffer.columns): Float32Array {
    return new Float32Array(this.f32.buffer, this.address(buffer), length);
  }

  /** Parameters, moments, buffers and counters, to go back to. */
  copyState(): StateCopy {
    const { step, forwards } = this.update;
    const blocks = this.stateBlocks().map((view) => view.slice());
    return { step, forwards, blocks, buffers: this.view(this.plan.blocks.buffers).slice() };
  }

  restoreState({ step, forwards, blocks, buffers }: StateCopy): void {
    this.stateBlocks().forEach((view, i) => {
      view.set(blocks[i]);
    });
    this.view(this.plan.blocks.buffers).set(buffers);
    Object.assign(this.update, { step, forwards });
    this.most = undefined;
  }

  private stateBlocks(): Float32Array[] {
    const { parameters, moments } = this.plan.blocks;
    return [parameters, ...moments].map((block) => this.view(block));
  }

  list(...parts: Parts): RunList {
    return new RunList(this, parts);
  }

  bind(steps: readonly Step[], rows: number): Call[] {
    return bind(steps, this.instance, this.placement, rows, this.update);
  }
}

interface BoundList {
  readonly calls: readonly (readonly Call[])[];
  /** For the lanes; undefined where one lane is enough. */
  readonly shared: SharedRun | undefined;
}

/** Steps that can be run for any number of rows up to the capacity, in parts; bound once for each number. */
export class RunList {
  private readonly engine: Engine;
  private readonly parts: Parts;
  private readonly bound = new Map<number, BoundList>();
  private generation: number;

  constructor(engine: Engine, parts: Parts) {
    this.engine = engine;
    this.parts = parts;
    this.generation = engine.generation;
  }

  /** Runs the first part, and the others as far as the gate lets them; the sum of results of the last that ran, where
   *  calls have any. Errors: RUNTIME when a lane died; the gate's. */
  run(rows: number, gate?: Gate): number {
    this.forgetStale();
    const { calls, shared } = this.bound.get(rows) ?? this.bind(rows);
    let sum = shared?.run(gate);
    if (sum !== undefined) return sum;
    sum = run(calls[0]);
    for (let i = 1; i < calls.length && gate?.(sum, i); i++) sum = run(calls[i]);
    return sum;
  }

  private bind(rows: number): BoundList {
    const { engine, parts } = this;
    const { threads, threading } = engine.options;
    const shared = threads > 1 ? threading?.share(engine, parts, rows) : undefined;
    const bound = { calls: parts.map((steps) => engine.bind(steps, rows)), shared };
    this.bound.set(rows, bound);
    return bound;
  }

  private forgetStale(): void {
    const { generation } = this.engine;
    if (this.generation === generation && this.bound.size <= KEPT_ROW_COUNTS) return;
    for (const { shared } of this.bound.values()) shared?.forget();
    this.bound.clear();
    this.generation = generation;
  }
}

/** An equal engine with a memory of its own. */
export function copyEngine(engine: Engine): Engine {
  const { plan, module, options, placement, update } = engine;
  const copy = new Engine("clone", plan, module, { ...options, capacity: placement.capacity });
  const { parameters, buffers, gradients, moments } = plan.blocks;
  for (const block of [parameters, buffers, gradients, ...moments]) copy.view(block).set(engine.view(block));
  Object.assign(copy.update, update);
  return copy;
}
