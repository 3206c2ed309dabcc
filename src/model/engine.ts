// A plan bound to an instance: addresses, views and runnable lists. It knows no layers and no user data.
import type { BufferRef, Scalar, Step, UpdateState } from "../contract.ts";
import { type Placement, place } from "../plan/arena.ts";
import { bind, type Call, run } from "../plan/bind.ts";
import type { Plan } from "../plan/compile.ts";
import { shareSteps } from "../plan/shares.ts";
import type { Kernels } from "../runtime/abi.ts";
import { ensureBytes, type Instance, instantiate } from "../runtime/instance.ts";
import { Lanes, type LaneWorker } from "../runtime/lanes.ts";
import type { WasmModule } from "../wasm.ts";

/** Work under which waking lanes costs more than they give. Units: about FLOPs. */
const SHARED_WORK = 1.5e7;
/** How many scalars lanes can be handed. */
const MAX_SCALARS = 64;

export interface EngineOptions {
  /** Rows that activations are planned for. */
  readonly capacity: number;
  readonly threads: number;
  readonly worker: (() => LaneWorker) | undefined;
}

/** Row counts whose bound lists are kept; serving many sizes must not grow without end. */
const KEPT_ROW_COUNTS = 64;

export interface StateCopy {
  readonly step: number;
  readonly blocks: readonly Float32Array[];
}

export class Engine {
  readonly plan: Plan;
  readonly kernels: Kernels;
  /** What scalars of the update list read; written before each optimizer step. */
  readonly update: UpdateState & { learningRate: number; step: number };
  /** The whole memory; made anew when it grows. */
  f32!: Float32Array;
  i32!: Int32Array;
  /** What the last loss kernel wrote: sum of weighted losses, sum of weights. */
  sums!: Float64Array;
  placement: Placement;
  /** Counts re-plannings: bound lists of an older one are stale. */
  generation = 0;
  /** Started by the first list that is worth it: a small model never starts a worker. */
  lanes: Lanes | undefined;
  readonly options: EngineOptions;
  private readonly instance: Instance;
  private readonly module: WasmModule;

  /** Errors: MEMORY when capacity rows of this plan do not fit. */
  constructor(plan: Plan, module: WasmModule, options: EngineOptions) {
    const { capacity, threads } = options;
    this.plan = plan;
    this.options = options;
    this.placement = place(plan.fixed, plan.programs, capacity, threads);
    this.instance = instantiate(module, this.placement.end, threads > 1);
    this.module = module;
    this.kernels = this.instance.kernels;
    this.update = { learningRate: plan.spec.optimizer?.learningRate ?? 0, step: 0 };
    this.renewViews();
  }

  private renewViews(): void {
    const { buffer } = this.instance.memory;
    this.f32 = new Float32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.sums = new Float64Array(buffer, this.address(this.plan.sums), 2);
  }

  /** Makes room for batches of `rows`: what the batch does not size keeps its address and content. Errors: MEMORY. */
  ensureCapacity(rows: number): void {
    if (rows <= this.placement.capacity) return;
    const { plan, instance } = this;
    const placement = place(plan.fixed, plan.programs, rows, this.options.threads);
    ensureBytes(instance.memory, placement.end);
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

  /** Parameters, moments and the optimizer's step, to go back to. */
  copyState(): StateCopy {
    return { step: this.update.step, blocks: this.stateBlocks().map((view) => view.slice()) };
  }

  restoreState({ step, blocks }: StateCopy): void {
    this.stateBlocks().forEach((view, i) => {
      view.set(blocks[i]);
    });
    this.update.step = step;
  }

  private stateBlocks(): Float32Array[] {
    const { parameters, moments } = this.plan.blocks;
    return [parameters, ...moments].map((block) => this.view(block));
  }

  /** Errors: RUNTIME when workers cannot start. */
  startLanes(): Lanes {
    const { threads, worker } = this.options;
    this.lanes ??= new Lanes(threads, this.module, this.instance, worker);
    return this.lanes;
  }

  list(steps: readonly Step[]): RunList {
    return new RunList(this, steps);
  }

  bind(steps: readonly Step[], rows: number): Call[] {
    return bind(steps, this.instance, this.placement, rows, this.update);
  }
}

/** A list that the lanes have, with the scalars that each run writes for them. */
interface SharedList {
  readonly lanes: Lanes;
  readonly list: ReturnType<Lanes["load"]>;
  readonly scalars: readonly Scalar[];
}

/** Steps that can be run for any number of rows up to the capacity; bound once for each number. */
export class RunList {
  private readonly engine: Engine;
  private readonly steps: readonly Step[];
  private readonly bound = new Map<number, Call[]>();
  /** For the lanes; undefined where one lane is enough. */
  private readonly shared = new Map<number, SharedList | undefined>();
  private generation: number;

  constructor(engine: Engine, steps: readonly Step[]) {
    this.engine = engine;
    this.steps = steps;
    this.generation = engine.generation;
  }

  /** The sum of the calls' results, where they have any. Errors: RUNTIME when a lane died. */
  run(rows: number): number {
    const { engine } = this;
    const shared = engine.options.threads > 1 ? this.sharedList(rows) : undefined;
    if (!shared?.lanes.ready(shared.list)) return run(this.calls(rows));
    const { lanes, list, scalars } = shared;
    scalars.forEach((scalar, i) => {
      lanes.scalars[i] = scalar.value(engine.update);
    });
    return lanes.run(list);
  }

  calls(rows: number): Call[] {
    this.forgetStale();
    let calls = this.bound.get(rows);
    if (!calls) {
      calls = this.engine.bind(this.steps, rows);
      this.bound.set(rows, calls);
    }
    return calls;
  }

  private sharedList(rows: number): SharedList | undefined {
    this.forgetStale();
    if (this.shared.has(rows)) return this.shared.get(rows);
    const scalars: Scalar[] = [];
    const { engine } = this;
    const shares = shareSteps(this.steps, engine.placement, rows, engine.options.threads, scalars);
    let shared: SharedList | undefined;
    if (shares.work >= SHARED_WORK && scalars.length <= MAX_SCALARS) {
      const lanes = engine.startLanes();
      shared = { lanes, list: lanes.load(shares.lanes), scalars };
    }
    this.shared.set(rows, shared);
    return shared;
  }

  private forgetStale(): void {
    const { generation } = this.engine;
    if (this.generation === generation && this.bound.size + this.shared.size <= KEPT_ROW_COUNTS) return;
    this.bound.clear();
    this.shared.clear();
    this.generation = generation;
  }
}
