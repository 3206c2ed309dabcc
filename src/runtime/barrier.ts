// What lanes share besides the model's memory: a block of words, a barrier on it, and the calls of a share.
// Bundled into the workers' source: imports types only.
import type { KernelName, Kernels } from "./abi.ts";

// Words of the block.
/** Counts twice a command, so that it is odd while one is written; lanes wait for it to change. */
export const SEQUENCE = 0;
/** A list's number, or one of the commands below. */
export const COMMAND = 1;
const ARRIVED = 2;
const GENERATION = 3;
const SLEEPERS = 4;
/** 1 after a lane failed or ended: then nobody waits at a barrier again. */
export const FAILED = 5;
/** What the main thread decided at the last gate: the part of the list to go on with, or 0 to leave it. */
export const VERDICT = 6;
/** From here: how many lists each lane has. */
export const LOADED = 16;
/** From here: 1 for each lane that runs nothing any more. */
export const LEFT = 80;
export const MAX_LANES = 64;
/** From this byte, f64: scalars of the list that runs. */
export const SCALARS_BYTE = 1024;
/** From here among them: the sum of results of each lane's last share. */
export const RESULTS = 256;
export const BLOCK_BYTES = SCALARS_BYTE + 8 * (RESULTS + MAX_LANES);

export const COMMAND_STOP = -1;
/** Go back to the event loop for a moment: messages wait there. */
export const COMMAND_YIELD = -2;

/** A kernel call as data; `slots` are arguments that are read from the block's scalars at each call. */
export interface LaneCall {
  readonly kernel: KernelName;
  readonly args: readonly number[];
  readonly slots: readonly (readonly [argument: number, slot: number])[];
}

/** One step of a lane's share: its call, if it has one, and whether all lanes meet after it. */
export interface LaneStep {
  readonly call: LaneCall | undefined;
  readonly barrier: boolean;
}

/** Spins before a lane sleeps: some 20 us, about what waking costs. */
const SPINS = 4000;
/** How long a lane with a limit sleeps before it looks whether others came. Units: ms. */
const SLICE = 1000;

export class Barrier {
  /** Milliseconds slept, or spun instead; measured only where asked for. */
  slept = 0;
  private readonly words: Int32Array;
  private readonly lanes: number;
  private readonly mayBlock: boolean;
  private readonly now: () => number;

  /** `mayBlock`: browsers' main thread must not sleep, it spins. */
  constructor(words: Int32Array, lanes: number, mayBlock: boolean, now: () => number = () => 0) {
    this.words = words;
    this.lanes = lanes;
    this.mayBlock = mayBlock;
    this.now = now;
  }

  /** Returns when all lanes have arrived. Throws after `fail`, and when none came for `seconds`. */
  wait(seconds: number): void {
    const { words } = this;
    // Read first: whoever misses a failure here waits for a generation that it has ended.
    const generation = Atomics.load(words, GENERATION);
    this.check();
    if (Atomics.add(words, ARRIVED, 1) + 1 === this.lanes) {
      Atomics.store(words, ARRIVED, 0);
      Atomics.add(words, GENERATION, 1);
      if (Atomics.load(words, SLEEPERS) > 0) Atomics.notify(words, GENERATION);
      return;
    }
    if (!this.waitFor(GENERATION, generation, SPINS, seconds)) throw new Error("timeout");
    this.check();
  }

  /** Lets all lanes out of this barrier and every later one. */
  fail(): void {
    const { words } = this;
    Atomics.store(words, FAILED, 1);
    Atomics.add(words, GENERATION, 1);
    Atomics.notify(words, GENERATION);
  }

  /** Throws after `fail`. */
  check(): void {
    if (Atomics.load(this.words, FAILED) !== 0) throw new Error("a lane failed");
  }

  /** Spins, then sleeps, until a word is no longer `value`; false when for `seconds` no lane arrived anywhere. Whole
   *  slices are counted and no clock is read, so that a machine that slept loses no lane. */
  waitFor(word: number, value: number, spins: number, seconds: number): boolean {
    const { words } = this;
    for (let i = 0; i < spins; i++) {
      if (Atomics.load(words, word) !== value) return true;
    }
    const started = this.now();
    const slice = seconds < Number.POSITIVE_INFINITY ? SLICE : seconds;
    let left = seconds;
    let arrived = Atomics.load(words, ARRIVED);
    Atomics.add(words, SLEEPERS, 1);
    // Again where an engine woke the lane for nothing.
    while (left > 0 && Atomics.load(words, word) === value) {
      if (this.sleep(word, value, slice)) continue;
      const now = Atomics.load(words, ARRIVED);
      left = now === arrived ? left - 1 : seconds;
      arrived = now;
    }
    Atomics.sub(words, SLEEPERS, 1);
    this.slept += this.now() - started;
    return left > 0;
  }

  /** False when the time is up. */
  private sleep(word: number, value: number, milliseconds: number): boolean {
    const { words } = this;
    if (this.mayBlock) return Atomics.wait(words, word, value, milliseconds) !== "timed-out";
    const end = this.now() + milliseconds;
    while (Atomics.load(words, word) === value) if (this.now() > end) return false;
    return true;
  }
}

/** A lane's share of a part of a list, ready to run: the sum of the calls' results. Lists have gates between their
 *  parts: all lanes meet, the main thread alone decides whether to go on, and all meet again to learn of it. */
export type Share = (barrier: Barrier, seconds: number) => number;

/** Throws what a kernel or a barrier throws; the other lanes learn of it by `fail`. */
export function bindShare(steps: readonly LaneStep[], kernels: Kernels, scalars: Float64Array): Share {
  const bound = steps.map(({ call, barrier }) => ({ call: call && bindCall(call, kernels, scalars), barrier }));
  return (barrier, seconds) => {
    let sum = 0;
    for (const step of bound) {
      if (step.call) sum += Number(step.call() ?? 0);
      if (step.barrier) barrier.wait(seconds);
    }
    return sum;
  };
}

function bindCall({ kernel, args, slots }: LaneCall, kernels: Kernels, scalars: Float64Array): () => unknown {
  const fn = kernels[kernel] as (...args: number[]) => unknown;
  if (slots.length === 0) return fn.bind(null, ...args);
  const own = [...args];
  return () => {
    for (const [argument, slot] of slots) own[argument] = scalars[slot];
    return fn.apply(null, own);
  };
}
