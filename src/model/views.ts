// Live views of a model's numbers, by name.
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
  const { parameters, blocks } = engine.plan;
  return parameters.map(({ name, shape, ref, gradient }) => ({
    name,
    shape,
    value: engine.view(ref),
    gradient: engine.view(gradient),
    moments: blocks.moments.map((block) => {
      const start = ref.within?.offset as number;
      return engine.view(block).subarray(start, start + ref.columns);
    }),
  }));
}

export function bufferViews(engine: Engine): Record<string, Float32Array> {
  return Object.fromEntries(engine.plan.buffers.map(({ name, ref }) => [name, engine.view(ref)]));
}
