// How parameters start: named and parametrised initializers, each a fill kernel keyed by the model's seed.
import type { BufferRef, Builder, RandomStream } from "./contract.ts";
import { SimdgradError, show } from "./errors.ts";
import { checkKeys, checkNumber } from "./options.ts";

const NAMES = [
  "zeros",
  "ones",
  "glorot-uniform",
  "glorot-normal",
  "he-uniform",
  "he-normal",
  "lecun-normal",
  "orthogonal",
] as const;

/** The initializers that have no parameters. */
export type InitializerName = (typeof NAMES)[number];

/** A name, or a distribution with its parameters. Normals are not truncated. */
export type Initializer =
  | InitializerName
  | { kind: "constant"; value: number }
  | { kind: "uniform"; low: number; high: number }
  | { kind: "normal"; mean?: number; std: number };

/** Errors: CONFIG. */
export function normalizeInitializer(where: string, name: string, init: Initializer): Initializer {
  if (typeof init === "string" && NAMES.includes(init)) return init;
  if (typeof init === "object" && init !== null) {
    const known = distribution(`${where}, ${name}`, init);
    if (known) return Object.freeze(known);
  }
  throw new SimdgradError(
    "CONFIG",
    `${where}: expected ${name} to be an initializer, received ${show(init)}.`,
    `Known: ${NAMES.join(", ")}, { kind: "constant", value }, { kind: "uniform", low, high }, { kind: "normal", mean, std }.`,
  );
}

function distribution(at: string, init: Exclude<Initializer, string>): Initializer | undefined {
  switch (init.kind) {
    case "constant":
      checkKeys(at, init, ["kind", "value"]);
      return { kind: "constant", value: checkNumber(at, "value", init.value, { single: true }) };
    case "uniform": {
      checkKeys(at, init, ["kind", "low", "high"]);
      const low = checkNumber(at, "low", init.low, { single: true });
      const high = checkNumber(at, "high", init.high, { single: true });
      // The kernel scales by the width, in f32.
      checkNumber(at, "high - low", Math.fround(high) - Math.fround(low), { low: 0, openLow: true, single: true });
      return { kind: "uniform", low, high };
    }
    case "normal": {
      checkKeys(at, init, ["kind", "mean", "std"]);
      const { mean = 0, std } = init;
      // Normals reach seven standard deviations.
      checkNumber(at, "std", std, { low: 0, high: 1e37 });
      return { kind: "normal", mean: checkNumber(at, "mean", mean, { single: true }), std };
    }
    default:
      return undefined;
  }
}

/** Emits the fill of one parameter.
 *  Shapes: fans are those of a kernel [in, out]; a vector's length counts as both.
 *  Source: Glorot & Bengio 2010 (variance 2 / (in + out)); He et al. 2015 (2 / in); LeCun et al. 1998 (1 / in);
 *  Saxe et al. 2014 (orthogonal). */
export function emitInitializer(
  b: Builder,
  init: Initializer,
  target: BufferRef,
  shape: readonly number[],
  key: RandomStream,
): void {
  const fanIn = shape[0];
  const fanOut = shape[shape.length - 1];
  const constant = (value: number) => b.call(target, "fill", target.columns, target, value);
  const random = (kernel: "philox_uniform" | "philox_normal", first: number, second: number) =>
    b.call(
      target,
      kernel,
      target.columns,
      target,
      key.seedLow,
      key.seedHigh,
      key.purpose,
      key.stream,
      0,
      first,
      second,
    );
  const uniform = (variance: number) => random("philox_uniform", -Math.sqrt(3 * variance), Math.sqrt(3 * variance));
  const normal = (variance: number) => random("philox_normal", 0, Math.sqrt(variance));

  switch (typeof init === "string" ? init : init.kind) {
    case "zeros":
      return constant(0);
    case "ones":
      return constant(1);
    case "glorot-uniform":
      return uniform(2 / (fanIn + fanOut));
    case "glorot-normal":
      return normal(2 / (fanIn + fanOut));
    case "he-uniform":
      return uniform(2 / fanIn);
    case "he-normal":
      return normal(2 / fanIn);
    case "lecun-normal":
      return normal(1 / fanIn);
    case "orthogonal":
      random("philox_normal", 0, 1);
      return b.host([target], (_, values) => orthogonalize(values, fanIn, target.columns / fanIn));
  }
  if (typeof init !== "object") return;
  if (init.kind === "constant") constant(init.value);
  else if (init.kind === "uniform") random("philox_uniform", init.low, init.high);
  else random("philox_normal", init.mean ?? 0, init.std);
}

/** Makes the rows of [rows, columns], or its columns when there are more rows, orthonormal in place:
 *  Gram-Schmidt in f64, twice against each earlier vector so that rounding does not add up. */
function orthogonalize(values: Float32Array, rows: number, columns: number): void {
  const byRows = rows <= columns;
  const count = byRows ? rows : columns;
  const length = byRows ? columns : rows;
  const at = (i: number, j: number) => (byRows ? i * columns + j : j * columns + i);
  const basis: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const vector = Float64Array.from({ length }, (_, j) => values[at(i, j)]);
    for (let pass = 0; pass < 2; pass++) {
      for (const earlier of basis) subtract(vector, dot(vector, earlier), earlier);
    }
    const norm = Math.sqrt(dot(vector, vector));
    for (let j = 0; j < length; j++) vector[j] /= norm;
    basis.push(vector);
  }
  basis.forEach((vector, i) => {
    for (let j = 0; j < length; j++) values[at(i, j)] = vector[j];
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function subtract(a: Float64Array, factor: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i] = a[i] - factor * b[i];
}
