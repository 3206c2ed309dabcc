// Worker lanes over one shared memory: who starts them, commands them, and notices when they are gone.
import { SimdgradError, show } from "../errors.ts";
import { laneSource } from "../generated/lane.ts";
import type { WasmModule } from "../wasm.ts";
import {
  Barrier,
  BLOCK_BYTES,
  bindShare,
  COMMAND,
  COMMAND_STOP,
  COMMAND_YIELD,
  FAILED,
  type LaneStep,
  LEFT,
  LOADED,
  RESULTS,
  SCALARS_BYTE,
  SEQUENCE,
  type Share,
  VERDICT,
} from "./barrier.ts";
import type { Instance } from "./instance.ts";
import type { LaneMessage } from "./lane.ts";

export { type LaneCall, type LaneStep, RESULTS } from "./barrier.ts";

/** What lanes need of a worker, Node's or the web's. */
export interface LaneWorker {
  /** As Worker's. */
  postMessage(message: unknown): void;
  /** As Worker's. */
  terminate(): unknown;
  /** As Node's: a worker keeps no process alive. */
  unref?(): void;
}

/** A lane that ends says so, as a rule. One that does not is given up when nobody arrives for these seconds, and those
 *  that the list takes at this speed, about a thirtieth of what is usual: a busy machine stops no model. Units: FLOPs
 *  a second. */
const LANE_SECONDS = 60;
const LANE_SPEED = 3e8;
const HINT =
  "The model goes on with one thread, which threads: 1 asks for. Where blobs are refused as workers, pass `worker`: simdgrad/lane; Node's --permission wants --allow-worker.";

/** Runs in a row that mostly waited before one lane takes over, and for how many. */
const PATIENCE = 4;
const ALONE_FOR = 200;

/** Between two parts of a list, on the main thread alone: whether to go on with part `next` after one whose results
 *  have this sum. What it throws ends the list too. `shared`: on all lanes, any of which may die within the part. */
export type Gate = (sum: number, next: number, shared?: boolean) => boolean;

interface LaneList {
  readonly number: number;
  /** The main thread's own. */
  readonly parts: readonly Share[];
  /** What a lane is given to come to its next barrier. */
  readonly seconds: number;
}

interface Status {
  dead: boolean;
  /** What the worker told of it: an error, a code or an event. */
  cause?: unknown;
}

/** Ends workers whose lanes are unreachable; it holds no model. */
let registry: FinalizationRegistry<readonly LaneWorker[]> | undefined;

export class Lanes {
  readonly count: number;
  /** Scalars of the list that runs, which lanes read at each call; then the lanes' results. */
  readonly scalars: Float64Array;
  /** Of the list that runs, or ran last: the part that lanes may have begun. */
  part = 0;
  private readonly words: Int32Array;
  private readonly workers: LaneWorker[] = [];
  private readonly instance: Instance;
  private readonly barrier: Barrier;
  private readonly status: Status = { dead: false };
  private lists = 0;
  private waits = 0;
  private alone = 0;
  private failed = false;
  private running = false;

  /** Errors: RUNTIME where workers cannot start; then none runs. */
  constructor(count: number, module: WasmModule, instance: Instance, makeWorker: () => LaneWorker = startWorker) {
    const block = new SharedArrayBuffer(BLOCK_BYTES);
    this.count = count;
    this.instance = instance;
    this.words = new Int32Array(block, 0, SCALARS_BYTE / 4);
    this.scalars = new Float64Array(block, SCALARS_BYTE);
    this.barrier = new Barrier(this.words, count, mayBlock(), () => performance.now());
    try {
      for (let lane = 1; lane < count; lane++) {
        const worker = this.add(makeWorker());
        const { memory } = instance;
        worker.postMessage({ lane, lanes: count, module, memory, block } satisfies LaneMessage);
      }
    } catch (cause) {
      this.stop();
      throw new SimdgradError(
        "RUNTIME",
        `threads: expected ${count - 1} workers to start, found one that did not: ${cause instanceof Error ? cause.message : show(cause)}`,
        HINT,
        { cause },
      );
    }
    watchSilent(this.words, count, this.status);
    registry ??= new FinalizationRegistry((workers) => {
      for (const worker of workers) worker.terminate();
    });
    registry.register(this, this.workers, this);
  }

  /** Errors: an Error for what is no worker, or one that is a lane already. */
  private add(worker: LaneWorker): LaneWorker {
    if (typeof worker?.postMessage !== "function" || this.workers.includes(worker)) {
      throw new Error(`worker: expected a new Worker from each call, received ${show(worker)}.`);
    }
    this.workers.push(worker);
    worker.unref?.();
    watch(worker, this.status);
    return worker;
  }

  /** Hands each lane its share of a list, part by part. Units: work in FLOPs. */
  load(shares: readonly (readonly (readonly LaneStep[])[])[], work: number): LaneList {
    const number = this.lists++;
    this.post((lane) => ({ list: number, parts: shares[lane] }));
    const parts = shares[0].map((steps) => bindShare(steps, this.instance.kernels, this.scalars));
    return { number, parts, seconds: LANE_SECONDS + work / LANE_SPEED };
  }

  /** Lets go of a list. */
  forget({ number }: LaneList): void {
    this.post(() => ({ forget: number }));
  }

  private post(message: (lane: number) => LaneMessage): void {
    if (this.failed) return;
    this.workers.forEach((worker, i) => {
      worker.postMessage(message(i + 1));
    });
  }

  /** Whether to run this list on all lanes now: they have it, and waiting for them pays. Errors: RUNTIME, once, after
   *  a lane died; from then on one lane does all. */
  ready({ number }: LaneList): boolean {
    if (this.failed) return false;
    // Still running: the thread was stopped within a list, as by a time limit of node:vm.
    if (this.running || this.status.dead || Atomics.load(this.words, FAILED) !== 0) this.fail(this.status.cause);
    if (this.alone > 0) {
      this.alone--;
      return false;
    }
    for (let lane = 1; lane < this.count; lane++) {
      if (Atomics.load(this.words, LOADED + lane) > number) continue;
      this.command(COMMAND_YIELD);
      return false;
    }
    return true;
  }

  /** Runs a list on all lanes by one command; the sum of results of the last part that ran. Errors: RUNTIME when a lane
   *  does not answer; the gate's own, once all lanes have left the list. */
  run({ number, parts, seconds }: LaneList, gate?: Gate): number {
    const { barrier, words } = this;
    const started = performance.now();
    barrier.slept = 0;
    this.running = true;
    this.command(number);
    let sum = 0;
    let refusal: { readonly error: unknown } | undefined;
    try {
      this.part = 0;
      for (let next = 0; ; ) {
        sum = parts[next](barrier, seconds);
        barrier.wait(seconds);
        for (let lane = 1; lane < this.count; lane++) sum += this.scalars[RESULTS + lane];
        if (++next === parts.length) break;
        try {
          if (!gate?.(sum, next, true)) next = 0;
        } catch (error) {
          refusal = { error };
          next = 0;
        }
        // A lane that died meanwhile has begun nothing.
        barrier.check();
        this.part = next;
        Atomics.store(words, VERDICT, next);
        barrier.wait(seconds);
        if (next === 0) break;
      }
    } catch (cause) {
      barrier.fail();
      // What lives must not write into what one lane does from now on.
      for (let lane = 1; lane < this.count; lane++) barrier.waitFor(LEFT + lane, 0, 0, 1);
      this.fail(cause);
    }
    this.running = false;
    this.weigh(barrier.slept, performance.now() - started);
    if (refusal) throw refusal.error;
    return sum;
  }

  /** Ends the workers. */
  stop(): void {
    this.failed = true;
    this.command(COMMAND_STOP);
    registry?.unregister(this);
    for (const worker of this.workers) worker.terminate?.();
  }

  private command(command: number): void {
    Atomics.add(this.words, SEQUENCE, 1);
    Atomics.store(this.words, COMMAND, command);
    Atomics.add(this.words, SEQUENCE, 1);
    Atomics.notify(this.words, SEQUENCE);
  }

  /** Where waiting takes more than half of the time, other work has the cores: one lane takes over for a while. */
  private weigh(slept: number, total: number): void {
    this.waits = slept > total / 2 ? this.waits + 1 : 0;
    if (this.waits < PATIENCE) return;
    this.waits = 0;
    this.alone = ALONE_FOR;
  }

  private fail(cause?: unknown): never {
    this.stop();
    throw new SimdgradError(
      "RUNTIME",
      `threads: expected all ${this.count} lanes to work, found one that ended or did not answer; this step is not complete.`,
      HINT,
      { cause },
    );
  }
}

/** Errors: RUNTIME where memory cannot be shared. */
export function checkLanes(where: string, count: number): void {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  if (typeof SharedArrayBuffer === "undefined" || isolated === false) {
    throw new SimdgradError(
      "RUNTIME",
      `${where}: expected shared memory for threads: ${count}, received an environment without.`,
      "Browsers share memory on cross-origin-isolated pages only (COOP and COEP headers); use threads: 1 elsewhere.",
    );
  }
}

/** One for all, as some engines load a worker's address only later: it is never revoked. */
let laneUrl: string | undefined;

function startWorker(): LaneWorker {
  const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
  // Without the program's own arguments: what they preload is no matter of a lane.
  if (threads) return new threads.Worker(laneSource, { eval: true, execArgv: [] });
  const { Worker } = globalThis;
  if (typeof Worker === "undefined") {
    throw new SimdgradError("RUNTIME", "threads: expected an environment with workers, found none.", "Use threads: 1.");
  }
  laneUrl ??= URL.createObjectURL(new Blob([laneSource], { type: "text/javascript" }));
  return new Worker(laneUrl);
}

/** Notes the death of a worker without holding on to anything but `status`. */
function watch(worker: LaneWorker, status: Status): void {
  const died = (cause: unknown) => {
    status.dead = true;
    status.cause ??= cause;
  };
  const { on, addEventListener } = worker as {
    on?: (event: string, listener: (cause: unknown) => void) => void;
    addEventListener?: (event: string, listener: (cause: unknown) => void) => void;
  };
  for (const event of ["error", "messageerror", "exit"]) (on ?? addEventListener)?.call(worker, event, died);
}

/** Takes a lane for dead that has loaded nothing after LANE_SECONDS, in each of which the main thread had a turn: its
 *  script is none of a lane, or hangs. Keeps no process alive, and no model. */
function watchSilent(words: Int32Array, count: number, status: Status, left = LANE_SECONDS): void {
  const { setTimeout } = globalThis.process?.getBuiltinModule?.("node:timers") ?? globalThis;
  const timer = setTimeout(() => {
    if (words.subarray(LOADED + 1, LOADED + count).every((lists) => lists > 0)) return;
    if (left > 1) watchSilent(words, count, status, left - 1);
    else status.dead = true;
  }, 1000);
  (timer as { unref?(): void }).unref?.();
}

/** A browser's main thread must not sleep. */
function mayBlock(): boolean {
  return typeof document === "undefined";
}
