// Data that comes in pieces, more than memory holds: pulled one piece at a time and cut anew into chunks of rows.
import { SimdgradError, show } from "../errors.ts";
import { lengthOf } from "../options.ts";
import type { AbortSignalLike } from "../wasm.ts";
import { type DataShape, type Dataset, type ReadDataset, readPiece } from "./data.ts";
import { checkFinite, checkIndices, isNumberArray } from "./matrix.ts";

/** Pieces of any number of rows. */
export type DataStream = Iterable<Dataset> | AsyncIterable<Dataset>;
/** What training and evaluation take: a whole data set, a stream to be read once, or a function that opens one anew for
 *  each epoch. */
export type DataSource = Dataset | DataStream | (() => DataStream | Promise<DataStream>);
type StreamSource = Exclude<DataSource, Dataset>;

export function isStream(data: unknown): data is StreamSource {
  if (typeof data === "function") return true;
  if (typeof data !== "object" || data === null || isNumberArray(data)) return false;
  // Rows, and [x, y], are no pieces.
  if (Array.isArray(data) && data.length > 0 && (typeof data[0] !== "object" || lengthOf(data[0]) !== undefined)) {
    return false;
  }
  return Symbol.iterator in data || Symbol.asyncIterator in data;
}

const OPENS = "() => [{ x, y }] opens a new stream each time.";

export class Stream {
  /** Rows that the last pass has pulled so far. */
  pulled = 0;
  private readonly where: string;
  private readonly source: StreamSource;
  private readonly shape: DataShape;
  private readonly weigh: (piece: ReadDataset) => ReadDataset;

  /** `weigh`: what is done with each piece. Errors: CONFIG when more passes are wanted than the source can be read. */
  constructor(
    where: string,
    source: StreamSource,
    passes: number,
    shape: DataShape,
    weigh: (piece: ReadDataset) => ReadDataset = (piece) => piece,
  ) {
    if (passes > 1 && typeof source !== "function") {
      throw new SimdgradError(
        "CONFIG",
        `${where}: expected a function that opens the stream for each of ${passes} epochs, received a stream to be read once.`,
        "Pass () => stream.",
      );
    }
    this.where = where;
    this.source = source;
    this.shape = shape;
    this.weigh = weigh;
  }

  /** Chunks of `size` rows, all full but the last; each overwrites the one before. The first `skip` rows are passed over.
   *  The source is closed however this ends. Errors: DATA, SHAPE, naming piece and row; the source's own; the signal's. */
  async *chunks(size: number, skip = 0, signal?: AbortSignalLike): AsyncGenerator<ReadDataset, void, void> {
    const chunk = new Chunk(size, this.shape.inputs);
    this.pulled = 0;
    const iterator = await unlessAborted(this.open(), signal);
    let open = true;
    const pull = async () => {
      try {
        return await iterator.next();
      } catch (error) {
        open = false;
        throw error;
      }
    };
    try {
      for (let count = 0; ; count++) {
        // An abort between two pieces has told its listeners: the next piece may never come.
        signal?.throwIfAborted();
        const { done, value } = await unlessAborted(pull(), signal);
        if (done) break;
        const piece = this.read(`${this.where}, piece ${count}`, value);
        const before = Math.min(Math.max(skip - this.pulled, 0), piece.rows);
        this.pulled += piece.rows;
        for (let from = before; from < piece.rows; ) {
          from += chunk.append(`${this.where}, piece ${count}`, piece, from);
          if (chunk.rows < size) continue;
          yield chunk.content();
          chunk.clear();
        }
      }
      open = false;
      if (chunk.rows > 0) yield chunk.content();
      if (this.pulled === 0)
        throw new SimdgradError("DATA", `${this.where}: expected at least one row, received none.`, OPENS);
    } finally {
      // One that waits for its next piece may never answer.
      const closed = open && close(iterator);
      if (!signal?.aborted) await closed;
    }
  }

  private async open(): Promise<Iterator<Dataset> | AsyncIterator<Dataset>> {
    const stream = typeof this.source === "function" ? await this.source() : this.source;
    if (!isStream(stream) || typeof stream === "function") {
      throw new SimdgradError("DATA", `${this.where}: expected a stream of { x, y }, received ${show(stream)}.`, OPENS);
    }
    return Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]();
  }

  private read(where: string, piece: Dataset): ReadDataset {
    const read = readPiece(where, piece, this.shape);
    checkFinite(where, "x", read.x);
    checkIndices(where, this.shape, read.x);
    return this.weigh(read);
  }
}

async function close(iterator: Iterator<Dataset> | AsyncIterator<Dataset>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // What ended the pass is the error to be told.
  }
}

/** The promise, or the signal's reason as soon as it is there. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignalLike | undefined): Promise<T> {
  const { addEventListener, removeEventListener } = (signal ?? {}) as Partial<EventTarget>;
  if (!addEventListener || !removeEventListener) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => resolve(Promise.resolve().then(() => signal?.throwIfAborted() as never));
    addEventListener.call(signal, "abort", abort);
    promise.then(resolve, reject).finally(() => removeEventListener.call(signal, "abort", abort));
    // What gave the promise may have aborted itself.
    if (signal?.aborted) abort();
  });
}

type Weights = "weights" | "sampleWeights";

/** Rows that are put together; one room for all chunks of a pass. */
class Chunk {
  rows = 0;
  private readonly size: number;
  private readonly inputs: number;
  private readonly x: Float32Array;
  private targets:
    | { kind: ReadDataset["targets"]["kind"]; columns: number; values: Float32Array | Int32Array }
    | undefined;
  private readonly weights: Partial<Record<Weights, Float32Array>> = {};

  constructor(size: number, inputs: number) {
    this.size = size;
    this.inputs = inputs;
    this.x = new Float32Array(size * inputs);
  }

  /** Takes rows of a piece while there is room; how many. Errors: SHAPE for targets of another kind than before. */
  append(where: string, piece: ReadDataset, from: number): number {
    const { kind, matrix } = piece.targets;
    const { columns } = matrix;
    this.targets ??= {
      kind,
      columns,
      values: new (kind === "labels" ? Int32Array : Float32Array)(this.size * columns),
    };
    if (this.targets.kind !== kind) {
      throw new SimdgradError("SHAPE", `${where}: expected y as in the pieces before, either class indices or rows.`);
    }
    const count = Math.min(this.size - this.rows, piece.rows - from);
    const part = <A extends ReadDataset["x"]["values"]>(values: A, width: number) =>
      values.subarray(from * width, (from + count) * width) as A;
    this.x.set(part(piece.x.values, this.inputs), this.rows * this.inputs);
    this.targets.values.set(part(matrix.values, columns), this.rows * columns);
    for (const name of ["weights", "sampleWeights"] as const) {
      const given = piece[name];
      if (given) this.weights[name] ??= new Float32Array(this.size).fill(1);
      if (given) this.weights[name]?.set(part(given, 1), this.rows);
      else this.weights[name]?.fill(1, this.rows, this.rows + count);
    }
    this.rows += count;
    return count;
  }

  content(): ReadDataset {
    const { rows, inputs, weights } = this;
    const { kind, columns, values } = this.targets as NonNullable<Chunk["targets"]>;
    return {
      rows,
      x: { rows, columns: inputs, values: this.x.subarray(0, rows * inputs) },
      targets: { kind, matrix: { rows, columns, values: values.subarray(0, rows * columns) } },
      weights: weights.weights?.subarray(0, rows),
      sampleWeights: weights.sampleWeights?.subarray(0, rows),
    };
  }

  /** Weights are forgotten: a chunk is the same wherever the pass began. */
  clear(): void {
    this.rows = 0;
    delete this.weights.weights;
    delete this.weights.sampleWeights;
  }
}
