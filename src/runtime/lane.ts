// What a worker runs: it waits for commands and walks its shares. Bundled into src/generated/lane.ts.

import type { WasmMemory, WasmModule } from "../wasm.ts";
import type { Kernels } from "./abi.ts";
import {
  Barrier,
  bindShare,
  COMMAND,
  COMMAND_STOP,
  COMMAND_YIELD,
  type LaneStep,
  LEFT,
  LOADED,
  RESULTS,
  SCALARS_BYTE,
  SEQUENCE,
  type Share,
  VERDICT,
} from "./barrier.ts";

/** First message: what to work on. Then lists, and those to forget, one a message. */
export type LaneMessage =
  | {
      readonly lane: number;
      readonly lanes: number;
      readonly module: WasmModule;
      readonly memory: WasmMemory;
      readonly block: SharedArrayBuffer;
    }
  | { readonly list: number; readonly parts: readonly (readonly LaneStep[])[] }
  | { readonly forget: number };

/** A lane never gives up its main thread, which ends it when it goes. */
const FOREVER = Number.POSITIVE_INFINITY;
/** Spins before a lane without a command sleeps: about 100 us, the usual pause between two lists. */
const IDLE_SPINS = 20_000;

interface Port {
  on?: (event: "message" | "messageerror", listener: (message: LaneMessage) => void) => void;
  onmessage?: ((event: { data: LaneMessage }) => void) | null;
  onmessageerror?: (() => void) | null;
}

const lists = new Map<number, readonly Share[]>();
let kernels: Kernels;
let scalars: Float64Array;
let words: Int32Array;
let own: number;

function receive(message: LaneMessage): void {
  if ("forget" in message) {
    lists.delete(message.forget);
    return;
  }
  if ("list" in message) {
    lists.set(
      message.list,
      message.parts.map((steps) => bindShare(steps, kernels, scalars)),
    );
    Atomics.add(words, LOADED + own, 1);
    return;
  }
  const { lane, lanes, module, memory, block } = message;
  own = lane;
  words = new Int32Array(block, 0, SCALARS_BYTE / 4);
  scalars = new Float64Array(block, SCALARS_BYTE);
  kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
  const barrier = new Barrier(words, lanes, true);
  const leave = () => {
    barrier.fail();
    Atomics.store(words, LEFT + own, 1);
    Atomics.notify(words, LEFT + own);
  };
  // A thread that something else ends within a share keeps nobody waiting.
  globalThis.process?.on?.("exit", leave);
  later(server(barrier, leave));
}

function server(barrier: Barrier, leave: () => void): () => void {
  let seen = 0;
  function serve() {
    for (;;) {
      barrier.waitFor(SEQUENCE, seen, IDLE_SPINS, FOREVER);
      const sequence = Atomics.load(words, SEQUENCE);
      const command = Atomics.load(words, COMMAND);
      // Nobody waits until a lane has seen the command to yield: the next one may be written right now.
      if (sequence % 2 !== 0 || Atomics.load(words, SEQUENCE) !== sequence) continue;
      seen = sequence;
      if (command === COMMAND_STOP) return;
      if (command === COMMAND_YIELD) return later(guarded);
      const parts = lists.get(command) as readonly Share[];
      let part = 0;
      do {
        scalars[RESULTS + own] = parts[part](barrier, FOREVER);
        barrier.wait(FOREVER);
        if (part === parts.length - 1) break;
        barrier.wait(FOREVER);
        part = Atomics.load(words, VERDICT);
      } while (part > 0);
    }
  }
  function guarded() {
    try {
      serve();
    } catch {
      leave();
    }
  }
  return guarded;
}

/** A message that cannot be read here, as shared memory of another process: an error in the main thread. */
function refuse(): never {
  throw new Error("A lane cannot read its messages.");
}

/** After the messages that wait now. */
function later(task: () => void): void {
  const { setImmediate = setTimeout } = globalThis as { setImmediate?: (task: () => void) => unknown };
  setImmediate(task);
}

const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
const port = (threads?.parentPort ?? globalThis) as unknown as Port;
if (threads?.parentPort) {
  port.on?.("message", receive);
  port.on?.("messageerror", refuse);
} else {
  port.onmessage = ({ data }) => receive(data);
  port.onmessageerror = refuse;
}
