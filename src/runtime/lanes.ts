// Worker lanes over one shared memory: who starts them, commands them, and notices when they are gone.
import { SimdgradError } from "../errors.ts";
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
  LOADED,
  MAX_LANES,
  RESULTS,
  SCALARS_BYTE,
  SEQUENCE,
  type Share,
} from "./barrier.ts";
import type { Instance } from "./instance.ts";
import type { LaneMessage } from "./lane.ts";

export { type LaneCall, type LaneStep, MAX_LANES } from "./barrier.ts";

/** What lanes need of a worker, Node's or the web's. */
export interface LaneWorker {
  /** As Worker's. */
  postMessage(message: unknown): void;
  /** As Worker's. */
  terminate(): unknown;
  /** As Node's: a worker keeps no process alive. */
  unref?(): void;
}

/** A share longer than this counts as a dead lane; on a busy machine one may wait for long. Units: ms. */
const LANE_TIMEOUT = 60_000;
/** Runs in a row that mostly waited before one lane takes over, and for how many. */
const PATIENCE = 4;
const ALONE_FOR = 200;

interface LaneList {
  readonly number: number;
  readonly share: Share;
}

/** Ends workers whose lanes are unreachable; it holds no model. */
let registry: FinalizationRegistry<readonly LaneWorker[]> | undefined;

export class Lanes {
  readonly count: number;
  /** Scalars of the update list; lanes read them at each call. */
  readonly scalars: Float64Array;
  private readonly words: Int32Array;
  private readonly workers: readonly LaneWorker[];
  private readonly instance: Instance;
  private readonly barrier: Barrier;
  private readonly status: { dead: boolean } = { dead: false };
  private lists = 0;
  private waits = 0;
  private alone = 0;
  private failed = false;

  /** Errors: RUNTIME where workers or shared memory are missing. */
  constructor(count: number, module: WasmModule, instance: Instance, makeWorker: () => LaneWorker = startWorker) {
    const block = new SharedArrayBuffer(BLOCK_BYTES);
    this.count = count;
    this.instance = instance;
    this.words = new Int32Array(block, 0, SCALARS_BYTE / 4);
    this.scalars = new Float64Array(block, SCALARS_BYTE);
    this.barrier = new Barrier(this.words, count, mayBlock(), () => performance.now());
    this.workers = Array.from({ length: count - 1 }, makeWorker);
    this.workers.forEach((worker, i) => {
      watch(worker, this.status);
      const { memory } = instance;
      worker.postMessage({ lane: i + 1, lanes: count, module, memory, block } satisfies LaneMessage);
      worker.unref?.();
    });
    registry ??= new FinalizationRegistry((workers) => {
      for (const worker of workers) worker.terminate();
    });
    registry.register(this, this.workers, this);
  }

  /** Hands each lane its share of a list. */
  load(shares: readonly (readonly LaneStep[])[]): LaneList {
    const number = this.lists++;
    this.workers.forEach((worker, i) => {
      worker.postMessage({ list: number, steps: shares[i + 1] } satisfies LaneMessage);
    });
    return { number, share: bindShare(shares[0], this.instance.kernels, this.scalars) };
  }

  /** Whether to run this list on all lanes now: they have it, and waiting for them pays. Errors: RUNTIME, once, after
   *  a lane died; from then on one lane does all. */
  ready({ number }: LaneList): boolean {
    if (this.failed) return false;
    if (this.status.dead || Atomics.load(this.words, FAILED) !== 0) this.fail("ended");
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

  /** Runs a list on all lanes; the sum of the calls' results. Errors: RUNTIME when a lane does not answer. */
  run({ number, share }: LaneList): number {
    const { barrier, words } = this;
    const started = performance.now();
    barrier.slept = 0;
    this.command(number);
    let sum = 0;
    try {
      sum = share(barrier, LANE_TIMEOUT);
      if (!barrier.wait(LANE_TIMEOUT)) throw new Error("timeout");
    } catch (cause) {
      this.fail("did not answer", cause);
    }
    for (let lane = 1; lane < this.count; lane++) sum += Atomics.load(words, RESULTS + lane);
    if (Atomics.load(words, FAILED) !== 0) this.fail("failed");
    this.weigh(barrier.slept, performance.now() - started);
    return sum;
  }

  /** Ends the workers. */
  stop(): void {
    this.failed = true;
    this.command(COMMAND_STOP);
    registry?.unregister(this);
    for (const worker of this.workers) worker.terminate();
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

  private fail(what: string, cause?: unknown): never {
    this.stop();
    throw new SimdgradError(
      "RUNTIME",
      `threads: expected all ${this.count} lanes to work, found one that ${what}; this step is not complete.`,
      "The model goes on with one thread; build it anew to have all again. Where blobs are refused as workers, pass `worker`: simdgrad/lane.",
      { cause },
    );
  }
}

/** Errors: CONFIG, RUNTIME where memory cannot be shared. */
export function checkLanes(where: string, count: number): void {
  if (count > MAX_LANES) {
    throw new SimdgradError("CONFIG", `${where}: expected at most ${MAX_LANES} threads, received ${count}.`);
  }
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  if (typeof SharedArrayBuffer === "undefined" || isolated === false) {
    throw new SimdgradError(
      "RUNTIME",
      `${where}: expected shared memory for threads: ${count}, received an environment without.`,
      "Browsers share memory on cross-origin-isolated pages only (COOP and COEP headers); use threads: 1 elsewhere.",
    );
  }
}

function startWorker(): LaneWorker {
  const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
  if (threads) return new threads.Worker(laneSource, { eval: true });
  const { Worker } = globalThis;
  if (typeof Worker === "undefined") {
    throw new SimdgradError("RUNTIME", "threads: expected an environment with workers, found none.", "Use threads: 1.");
  }
  return new Worker(URL.createObjectURL(new Blob([laneSource], { type: "text/javascript" })));
}

/** Notes the death of a worker without holding on to anything but `status`. */
function watch(worker: LaneWorker, status: { dead: boolean }): void {
  const died = () => {
    status.dead = true;
  };
  const { on, addEventListener } = worker as {
    on?: (event: string, listener: () => void) => void;
    addEventListener?: (event: string, listener: () => void) => void;
  };
  if (on) for (const event of ["error", "exit"]) on.call(worker, event, died);
  else addEventListener?.call(worker, "error", died);
}

/** A browser's main thread must not sleep. */
function mayBlock(): boolean {
  return typeof document === "undefined";
}
