// Matrix products beside the machine's limit, a loop of multiply and add in registers, measured in the same run.
import { createKernels, gemmScratchBytes } from "../../src/kernels.ts";
import { createRandom } from "../baselines/network.ts";
import { gemm, STORE } from "../baselines/tunedGemm.ts";
import { loadControl } from "../control.ts";
import type { Trial, Workload } from "../workload.ts";
import { whereRelaxed } from "./networks.ts";

type Shape = readonly [m: number, n: number, k: number];

/** Runs on row-major f32 A[m, k], B[k, n] and C[m, n] that it is given. */
type Product = (a: Float32Array, b: Float32Array, c: Float32Array) => void;

function trial([m, n, k]: Shape, a: Float32Array, b: Float32Array, c: Float32Array, product: Product): Trial {
  const random = createRandom(11);
  for (let i = 0; i < a.length; i++) a[i] = 2 * random() - 1;
  for (let i = 0; i < b.length; i++) b[i] = 2 * random() - 1;
  return {
    check: () => {
      c.fill(Number.NaN);
      product(a, b, c);
      checkSample([m, n, k], a, b, c, random);
      return [];
    },
    run: () => product(a, b, c),
    units: 2 * m * n * k,
  };
}

/** A thousand elements against sums in f64: rounding errs by at most k + 1 half units of the sum of magnitudes. */
function checkSample([m, n, k]: Shape, a: Float32Array, b: Float32Array, c: Float32Array, random: () => number): void {
  for (let s = 0; s < 1000; s++) {
    const i = Math.floor(random() * m);
    const j = Math.floor(random() * n);
    let sum = 0;
    let magnitude = 0;
    for (let l = 0; l < k; l++) {
      const term = a[i * k + l] * b[l * n + j];
      sum += term;
      magnitude += Math.abs(term);
    }
    const error = Math.abs(c[i * n + j] - sum);
    if (!(error <= (k + 1) * 2 ** -24 * magnitude)) {
      throw new Error(`Expected C[${i}, ${j}] = ${sum} (m, n, k = ${m}, ${n}, ${k}), received ${c[i * n + j]}.`);
    }
  }
}

function inArrays(shape: Shape, product: Product): Trial {
  const [m, n, k] = shape;
  return trial(shape, new Float32Array(m * k), new Float32Array(k * n), new Float32Array(m * n), product);
}

function naive(shape: Shape): Trial {
  const [m, n, k] = shape;
  return inArrays(shape, (a, b, c) => {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) sum += a[i * k + l] * b[l * n + j];
        c[i * n + j] = sum;
      }
    }
  });
}

function tuned(shape: Shape): Trial {
  const [m, n, k] = shape;
  return inArrays(shape, (a, b, c) => gemm(m, n, k, a, k, 1, b, n, 1, c, n, STORE, c));
}

function simdgrad(shape: Shape, simd: "strict" | "relaxed"): Trial {
  const [m, n, k] = shape;
  const scratchBytes = gemmScratchBytes(m, n, k);
  const { kernels, f32 } = createKernels({ simd, bytes: 4 * (m * k + k * n + m * n) + scratchBytes + 4096 });
  const a = f32(m * k);
  const b = f32(k * n);
  const c = f32(m * n);
  const scratch = f32(Math.ceil(scratchBytes / 4)).byteOffset;
  const [pa, pb, pc] = [a.byteOffset, b.byteOffset, c.byteOffset];
  return trial(shape, a, b, c, () => kernels.sgemm_nn(m, n, k, pa, k, pb, n, pc, n, 0, 0, scratch));
}

function control(name: "control" | "control-relaxed"): Trial | null {
  const loop = loadControl(name);
  const n = 100_000;
  return loop && { run: () => loop(n), units: 96 * n };
}

const shapes: readonly Shape[] = [
  [128, 128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [1024, 1024, 1024],
  [32, 128, 784],
  [128, 784, 256],
];

export const gemms: readonly Workload[] = [
  {
    name: "control",
    title: "12 chains of multiply and add in registers",
    unit: "GFLOPS",
    contestants: { "mul + add": () => control("control"), relaxed_madd: () => control("control-relaxed") },
  },
  ...shapes.map(
    (shape): Workload => ({
      name: `gemm ${shape.join(",")}`,
      title: `Matrix product (m, n, k) = (${shape.join(", ")})`,
      unit: "GFLOPS",
      contestants: {
        naive: () => naive(shape),
        tuned: () => tuned(shape),
        simdgrad: () => simdgrad(shape, "strict"),
        "simdgrad, relaxed": () => whereRelaxed(() => simdgrad(shape, "relaxed")),
      },
    }),
  ),
];
