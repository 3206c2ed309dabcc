// Live views of a model's numbers, by name.
import type { BufferRef } from "../contract.ts";
import type { Engine } from "./engine.ts";

/** One parameter of a model; the arrays are live views. */
export interface Parameter {
  /** e.g. "0.kernel". */
  readonly name: string;
  readonly shape: readonly number[];
  readonly value: Float32Array;
  readonly gradient: Float32Array;
  /** As many as the optimizer keeps, e.g. Adam's m and v. */
  readonly moments: readonly Float32Array[];
}

export function parameterViews(engine: Engine): Parameter[] {
  engine.isExposed = true;
  const { parameters, blocks } = engine.plan;
  return parameters.map(({ name, shape, ref, gradient }) => ({
    name,
    shape,
    value: engine.view(ref),
    gradient: engine.view(gradient),
    moments: blocks.moments.map((block) => partOf(engine.view(block), ref)),
  }));
}

/** What of a block's numbers, or of those of a block like it, is this buffer's. */
export function partOf(block: Float32Array, { within, columns }: BufferRef): Float32Array {
  const start = within?.offset as number;
  return block.subarray(start, start + columns);
}

export function bufferViews(engine: Engine): Record<string, Float32Array> {
  return Object.fromEntries(engine.plan.buffers.map(({ name, ref }) => [name, engine.view(ref)]));
}
