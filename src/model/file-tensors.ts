// The tensors of a model's file: their names, from and to the model's blocks.
import { show } from "../errors.ts";
import { showShape, type Tensor, type TensorFile } from "../io/safetensors.ts";
import type { BufferPlan, Layout } from "../plan/layout.ts";
import type { StateCopy } from "./engine.ts";
import { badFile } from "./file.ts";
import { partOf } from "./views.ts";

/** A parameter or a buffer of a layout. */
type TensorPlan = Pick<BufferPlan, "name" | "shape" | "ref" | "low">;

/** Each parameter's part of each block: "0.kernel", then "m.0.kernel" and so on, and the buffers, under the prefix. */
export function tensorsOf(layout: Layout, prefix: string, { blocks, buffers }: StateCopy): Tensor[] {
  const cut = (parts: readonly TensorPlan[], block: Float32Array, prefix: string): Tensor[] =>
    parts.map(({ name, shape, ref }) => ({ name: `${prefix}${name}`, shape, values: partOf(block, ref) }));
  return [
    ...blocks.flatMap((block, i) =>
      cut(layout.parameters, block, i === 0 ? prefix : `${prefix}${layout.momentNames[i - 1]}.`),
    ),
    ...cut(layout.buffers, buffers, prefix),
  ];
}

/** Puts a file's tensors together to blocks, and tells which it has used. */
export class TensorTaker {
  private readonly file: TensorFile;
  readonly layout: Layout;
  /** Names of those that were used. */
  readonly taken = new Set<string>();

  constructor(file: TensorFile, layout: Layout) {
    this.file = file;
    this.layout = layout;
  }

  /** All parameters of that prefix, flat. */
  block(prefix: string): Float32Array {
    return this.flat(prefix, this.layout.parameters, this.layout.parameterCount);
  }

  /** All running statistics of that prefix, flat. */
  buffers(prefix: string): Float32Array {
    return this.flat(prefix, this.layout.buffers, this.layout.blocks.buffers.columns);
  }

  private flat(prefix: string, parts: readonly TensorPlan[], length: number): Float32Array {
    // Shapes first: no more memory than the file justifies.
    const tensors = parts.map(({ name, shape, low }) => this.tensor(`${prefix}${name}`, shape, low));
    const values = new Float32Array(length);
    parts.forEach(({ ref }, i) => {
      values.set(tensors[i].values, ref.within?.offset);
    });
    return values;
  }

  private tensor(name: string, shape: readonly number[], low = Number.NEGATIVE_INFINITY): Tensor {
    const tensor = this.file.tensors.get(name);
    if (!tensor) throw badFile(`expected a tensor ${show(name)}, found none`);
    if (tensor.shape.join() !== shape.join()) {
      throw badFile(`tensor ${show(name)}: expected the shape ${showShape(shape)}, found ${showShape(tensor.shape)}`);
    }
    const wrong = firstWrong(tensor.values, low);
    if (wrong < tensor.values.length) {
      const expected = low === 0 ? "finite numbers of at least 0" : "finite numbers";
      throw badFile(`tensor ${show(name)}: expected ${expected}, found ${tensor.values[wrong]} at ${wrong}`);
    }
    this.taken.add(name);
    return tensor;
  }
}

/** Index of the first value that is not finite, or below `low`; the length where there is none. A plain loop, which
 *  engines compile while it runs: programs that start to predict wait for it. */
function firstWrong(values: Float32Array, low: number): number {
  let i = 0;
  while (i < values.length && values[i] - values[i] === 0 && values[i] >= low) i++;
  return i;
}
