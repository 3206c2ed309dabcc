// What a worker runs: it waits for commands and walks its shares. Bundled into src/generated/lane.ts.

import type { WasmMemory, WasmModule } from "../wasm.ts";
import type { Kernels } from "./abi.ts";
import {
  Barrier,
  bindShare,
  COMMAND,
  COMMAND_STOP,
  COMMAND_YIELD,
  FAILED,
  type LaneStep,
  LOADED,
  RESULTS,
  SCALARS_BYTE,
  SEQUENCE,
  type Share,
} from "./barrier.ts";

/** First message: what to work on. Then lists, one a message. */
export type LaneMessage =
  | {
      readonly lane: number;
      readonly lanes: number;
      readonly module: WasmModule;
      readonly memory: WasmMemory;
      readonly block: SharedArrayBuffer;
    }
  | { readonly list: number; readonly steps: readonly LaneStep[] };

/** A lane gives up a barrier after this long: its main thread is gone. Units: ms. */
const FORGOTTEN = 60_000;
/** Spins before a lane without a command sleeps: about 100 us, the usual pause between two lists. */
const IDLE_SPINS = 20_000;

interface Port {
  on?: (event: "message", listener: (message: LaneMessage) => void) => void;
  onmessage?: ((event: { data: LaneMessage }) => void) | null;
}

const shares = new Map<number, Share>();
let serve: (() => void) | undefined;
let kernels: Kernels;
let scalars: Float64Array;
let words: Int32Array;
let own: number;

function receive(message: LaneMessage): void {
  if ("list" in message) {
    shares.set(message.list, bindShare(message.steps, kernels, scalars));
    Atomics.add(words, LOADED + own, 1);
    return;
  }
  const { lane, lanes, module, memory, block } = message;
  own = lane;
  words = new Int32Array(block, 0, SCALARS_BYTE / 4);
  scalars = new Float64Array(block, SCALARS_BYTE);
  kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
  serve = server(new Barrier(words, lanes, true));
  later(serve);
}

function server(barrier: Barrier): () => void {
  let seen = 0;
  return function serve() {
    for (;;) {
      barrier.waitFor(SEQUENCE, seen, IDLE_SPINS, Number.POSITIVE_INFINITY);
      const sequence = Atomics.load(words, SEQUENCE);
      const command = Atomics.load(words, COMMAND);
      // Nobody waits until a lane has seen the command to yield: the next one may be written right now.
      if (sequence % 2 !== 0 || Atomics.load(words, SEQUENCE) !== sequence) continue;
      seen = sequence;
      if (command === COMMAND_STOP) return;
      if (command === COMMAND_YIELD) return later(serve);
      try {
        Atomics.store(words, RESULTS + own, shares.get(command)?.(barrier, FORGOTTEN) ?? 0);
      } catch {
        Atomics.store(words, FAILED, 1);
      }
      barrier.wait(FORGOTTEN);
    }
  };
}

/** After the messages that wait now. */
function later(task: () => void): void {
  const { setImmediate = setTimeout } = globalThis as { setImmediate?: (task: () => void) => unknown };
  setImmediate(task);
}

const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
const port = (threads?.parentPort ?? globalThis) as unknown as Port;
if (threads?.parentPort) port.on?.("message", receive);
else port.onmessage = ({ data }) => receive(data);
