// A plan bound to an instance: addresses, views and runnable lists. It knows no layers and no user data.
import type { BufferRef, Step, UpdateState } from "../contract.ts";
import { type Placement, place } from "../plan/arena.ts";
import { bind, type Call, run } from "../plan/bind.ts";
import type { Plan } from "../plan/compile.ts";
import type { Kernels } from "../runtime/abi.ts";
import { ensureBytes, type Instance, instantiate } from "../runtime/instance.ts";

/** Row counts whose bound lists are kept; serving many sizes must not grow without end. */
const KEPT_ROW_COUNTS = 64;

export class Engine {
  readonly plan: Plan;
  readonly kernels: Kernels;
  /** What scalars of the update list read; written before each optimizer step. */
  readonly update: UpdateState & { learningRate: number; step: number };
  /** The whole memory; made anew when it grows. */
  f32!: Float32Array<ArrayBuffer>;
  i32!: Int32Array<ArrayBuffer>;
  /** What the last loss kernel wrote: sum of weighted losses, sum of weights. */
  sums!: Float64Array<ArrayBuffer>;
  placement: Placement;
  /** Counts re-plannings: bound lists of an older one are stale. */
  generation = 0;
  private readonly instance: Instance;

  /** Errors: MEMORY when capacity rows of this plan do not fit. */
  constructor(plan: Plan, module: WebAssembly.Module, capacity: number) {
    this.plan = plan;
    this.placement = place(plan.fixed, plan.programs, capacity);
    this.instance = instantiate(module, this.placement.end);
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
    const placement = place(plan.fixed, plan.programs, rows);
    ensureBytes(instance.memory, placement.end);
    this.placement = placement;
    this.renewViews();
    this.generation++;
  }

  address(buffer: BufferRef): number {
    return this.placement.address(buffer);
  }

  /** A live view of `length` floats of a buffer. */
  view(buffer: BufferRef, length: number = buffer.columns): Float32Array<ArrayBuffer> {
    return new Float32Array(this.f32.buffer, this.address(buffer), length);
  }

  list(steps: readonly Step[]): RunList {
    return new RunList(this, steps);
  }

  bind(steps: readonly Step[], rows: number): Call[] {
    return bind(steps, this.instance, this.placement, rows, this.update);
  }
}

/** Steps that can be run for any number of rows up to the capacity; bound once for each number. */
export class RunList {
  private readonly engine: Engine;
  private readonly steps: readonly Step[];
  private readonly bound = new Map<number, Call[]>();
  private generation: number;

  constructor(engine: Engine, steps: readonly Step[]) {
    this.engine = engine;
    this.steps = steps;
    this.generation = engine.generation;
  }

  calls(rows: number): Call[] {
    if (this.generation !== this.engine.generation || this.bound.size > KEPT_ROW_COUNTS) {
      this.bound.clear();
      this.generation = this.engine.generation;
    }
    let calls = this.bound.get(rows);
    if (!calls) {
      calls = this.engine.bind(this.steps, rows);
      this.bound.set(rows, calls);
    }
    return calls;
  }

  run(rows: number): void {
    run(this.calls(rows));
  }
}
