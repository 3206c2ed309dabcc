// Prediction: any number of rows, in chunks of the plan's capacity.
import { SimdgradError, show } from "../errors.ts";
import { activationOf } from "../layers/activations.ts";
import { lengthOf } from "../options.ts";
import { loadInputs } from "./batches.ts";
import type { Engine, RunList } from "./engine.ts";
import { type Inputs, largestOfRow, type Matrix, readMatrix } from "./matrix.ts";

export class Inference {
  private readonly engine: Engine;
  private readonly list: RunList;

  constructor(engine: Engine) {
    this.engine = engine;
    this.list = engine.list(engine.plan.infer.steps);
  }

  predict(x: Inputs, where = "predict"): Float32Array {
    const matrix = this.read(where, x);
    return this.run(where, matrix, new Float32Array(matrix.rows * this.engine.plan.outputs));
  }

  predictInto(x: Inputs, out: Float32Array): Float32Array {
    const matrix = this.read("predictInto", x);
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
    return this.run("predictInto", matrix, out);
  }

  /** Index of the largest output of each row; with one sigmoid output, whether it is above one half. */
  predictClasses(x: Inputs): Int32Array {
    const { outputs, planned } = this.engine.plan;
    const y = this.predict(x, "predictClasses");
    const last = activationOf(planned[planned.length - 1].spec);
    if (outputs === 1 && last !== "softmax") return Int32Array.from(y, (value) => (value > 0.5 ? 1 : 0));
    return Int32Array.from({ length: y.length / outputs }, (_, row) => largestOfRow(y, row, outputs));
  }

  private read(where: string, x: Inputs): Matrix {
    return readMatrix(where, "x", x, this.engine.plan.spec.input);
  }

  private run(where: string, x: Matrix, out: Float32Array): Float32Array {
    const { engine } = this;
    const { infer, outputs } = engine.plan;
    const chunk = engine.placement.capacity;
    for (let start = 0; start < x.rows; start += chunk) {
      const count = Math.min(chunk, x.rows - start);
      loadInputs(where, engine, infer.x, x, { start, count });
      this.list.run(count);
      copyOut(engine.f32, engine.address(infer.output) >>> 2, out, start * outputs, count * outputs);
    }
    return out;
  }
}

/** Below this many numbers a loop copies faster than a view and a set, and allocates nothing. */
const COPY_BY_LOOP = 64;

function copyOut(heap: Float32Array, from: number, out: Float32Array, to: number, length: number): void {
  if (length > COPY_BY_LOOP) out.set(heap.subarray(from, from + length), to);
  else for (let i = 0; i < length; i++) out[to + i] = heap[from + i];
}
