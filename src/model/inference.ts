// Prediction: any number of rows, in chunks of the plan's capacity.
import { SimdgradError, show } from "../errors.ts";
import { activationOf } from "../layers/activations.ts";
import { lengthOf } from "../options.ts";
import { loadInputs } from "./batches.ts";
import type { Engine, RunList } from "./engine.ts";
import { type Inputs, largestOfRow, type Matrix, readMatrix, type Selection } from "./matrix.ts";

export class Inference {
  private readonly engine: Engine;
  private readonly list: RunList;
  /** What predictInto describes its call by: made once, so that it leaves the garbage collector alone. */
  private readonly flat: Writable<Matrix>;
  private readonly selection: Writable<Selection> = { start: 0, count: 0, order: undefined };
  /** Of the memory, of the last outputs that were too many for a loop. */
  private outputs: Float32Array = NOTHING;

  constructor(engine: Engine) {
    this.engine = engine;
    this.list = engine.list(engine.plan.infer.steps);
    this.flat = { rows: 0, columns: engine.plan.spec.input, values: NOTHING };
  }

  predict(x: Inputs, where = "predict"): Float32Array<ArrayBuffer> {
    const matrix = this.read(where, x);
    const out = new Float32Array(matrix.rows * this.engine.plan.outputs);
    this.run(where, matrix, out);
    return out;
  }

  predictInto<Out extends Float32Array>(x: Inputs, out: Out): Out {
    let matrix = this.readFlat(x) ?? this.read("predictInto", x);
    const length = matrix.rows * this.engine.plan.outputs;
    if (!(out instanceof Float32Array) || lengthOf(out) !== length) {
      throw new SimdgradError(
        "SHAPE",
        `predictInto: expected out to be a Float32Array of ${length}, received ${show(out)}.`,
        `Make it with new Float32Array(${length}).`,
      );
    }
    if (this.engine.buffers.has(out.buffer)) {
      throw new SimdgradError(
        "CONFIG",
        "predictInto: expected an out of its own, received a view of the model's memory.",
        `Make one with new Float32Array(${length}).`,
      );
    }
    if (matrix.rows > this.engine.placement.capacity) {
      // Outputs of one chunk may lie where the inputs of the next do.
      if (matrix.values.buffer === out.buffer) matrix = { ...matrix, values: matrix.values.slice() };
      // None is written before all are checked.
      this.run("predictInto", matrix);
    }
    this.run("predictInto", matrix, out);
    this.flat.values = NOTHING;
    return out;
  }

  /** Index of the largest output of each row; with one sigmoid output, whether it is above one half. */
  predictClasses(x: Inputs): Int32Array<ArrayBuffer> {
    const { outputs, planned } = this.engine.plan;
    const y = this.predict(x, "predictClasses");
    const last = activationOf(planned[planned.length - 1].spec);
    if (outputs === 1 && last !== "softmax") return Int32Array.from(y, (value) => (value > 0.5 ? 1 : 0));
    return Int32Array.from({ length: y.length / outputs }, (_, row) => largestOfRow(y, row, outputs));
  }

  private read(where: string, x: Inputs): Matrix {
    return readMatrix(where, "x", x, this.engine.plan.spec.input);
  }

  /** Rows in a Float32Array, described by what is there already; undefined for all else. */
  private readFlat(x: Inputs): Matrix | undefined {
    const { flat } = this;
    if (!(x instanceof Float32Array) || x.length % flat.columns !== 0) return undefined;
    flat.rows = x.length / flat.columns;
    flat.values = x;
    return flat;
  }

  /** Only checks the rows where there is no `out`. Errors: DATA. */
  private run(where: string, x: Matrix, out?: Float32Array): void {
    const { engine, selection } = this;
    const { infer, outputs } = engine.plan;
    const chunk = engine.placement.capacity;
    for (let start = 0; start < x.rows; start += chunk) {
      const count = Math.min(chunk, x.rows - start);
      selection.start = start;
      selection.count = count;
      loadInputs(where, engine, infer.x, x, selection);
      if (!out) continue;
      this.list.run(count);
      this.copyOut(engine.f32, engine.address(infer.output), out, start * outputs, count * outputs);
    }
  }

  private copyOut(heap: Float32Array, address: number, out: Float32Array, to: number, length: number): void {
    if (length > COPY_BY_LOOP) {
      const { buffer, byteOffset } = this.outputs;
      if (buffer !== heap.buffer || byteOffset !== address || this.outputs.length !== length) {
        this.outputs = new Float32Array(heap.buffer, address, length);
      }
      out.set(this.outputs, to);
      return;
    }
    const from = address >>> 2;
    for (let i = 0; i < length; i++) out[to + i] = heap[from + i];
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const NOTHING = /* @__PURE__ */ new Float32Array(0);

/** Below this many numbers a loop copies faster than a set. */
const COPY_BY_LOOP = 64;
