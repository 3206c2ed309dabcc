// No kernel reads more than 16 bytes past an operand's end: each operand in turn lies 16 bytes before the end of the
// memory, where a longer read traps.
import { expect, test } from "vitest";
import { gemmScratchBytes, type KernelSpace, type Kernels } from "../../src/kernels.ts";
import { packedScratchBytes } from "../../src/runtime/scratch.ts";
import { bitDifference } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";
import { openInferKernels, openKernels } from "../support/space.ts";

interface Call {
  readonly name: string;
  readonly operands: readonly (Float32Array | Int32Array | Float64Array)[];
  readonly run: (k: Kernels, addresses: readonly number[]) => void;
}

const SPARE = 16;

/** Runs the call, one operand at the memory's end if asked; all operands' bytes afterwards. */
function contentsAfter(space: KernelSpace, { operands, run }: Call, atEnd: number): Float32Array {
  space.reset();
  const end = space.memory.buffer.byteLength - SPARE;
  const addresses = operands.map((operand, i) =>
    i === atEnd ? end - operand.byteLength : space.f64(Math.ceil(operand.byteLength / 8) + 8).byteOffset,
  );
  const views = operands.map((operand, i) => new Uint8Array(space.memory.buffer, addresses[i], operand.byteLength));
  operands.forEach((operand, i) => {
    views[i].set(new Uint8Array(operand.buffer, operand.byteOffset, operand.byteLength));
  });
  run(space.kernels, addresses);
  return new Float32Array(Uint8Array.from(views.flatMap((view) => [...view])).buffer);
}

function check(space: KernelSpace, call: Call): void {
  const expected = contentsAfter(space, call, -1);
  call.operands.forEach((_, i) => {
    let actual: Float32Array;
    try {
      actual = contentsAfter(space, call, i);
    } catch (error) {
      expect.fail(`${call.name}, operand ${i} at the end: ${error}`);
    }
    const found = bitDifference(actual, expected);
    if (found) expect.fail(`${call.name}, operand ${i} at the end: ${found}`);
  });
}

const LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17, 31];

test("sgemm in all layouts", () => {
  const space = openKernels(1 << 20);
  const random = randomSource(1);
  const sizes = [1, 2, 3, 4, 5, 7, 9, 17].flatMap((m) =>
    [1, 3, 4, 5, 8, 9, 18].flatMap((n) => [1, 2, 3, 5].map((k) => [m, n, k])),
  );
  // Beyond the limits of the unpacked path, with every remainder of the tile.
  for (let more = 0; more < 8; more++) sizes.push([29 + more, 33 + more, 41 + more]);
  const scratch = new Float32Array(gemmScratchBytes(40, 48, 48) / 4);
  for (const [m, n, k] of sizes) {
    for (const layout of ["nn", "nt", "tn"] as const) {
      const operands = [random.floats(m * k), random.floats(k * n), new Float32Array(m * n), random.floats(n)];
      const [lda, ldb] = [layout === "tn" ? m : k, layout === "nt" ? k : n];
      const name = `sgemm_${layout} ${m} x ${n} x ${k}`;
      const gemm = (kernels: Kernels, [a, b, c, bias]: readonly number[], flags: number): void => {
        const address = space.f32(scratch.length).byteOffset;
        kernels[`sgemm_${layout}`](m, n, k, a, lda, b, ldb, c, n, bias, flags, address);
      };
      check(space, { name, operands, run: (kernels, at) => gemm(kernels, at, 0) });
      check(space, { name, operands: operands.slice(0, 3), run: (kernels, at) => gemm(kernels, [...at, 0], 1) });
    }
  }
});

test("sgemm of packed weights", () => {
  const space = openInferKernels(1 << 20);
  const random = randomSource(3);
  const sizes = [1, 2, 3, 4, 5, 9].flatMap((m) =>
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 24, 33, 41].flatMap((n) => [1, 2, 3, 5, 41, 257].map((k) => [m, n, k])),
  );
  const scratch = new Float32Array(packedScratchBytes(9, 257) / 4);
  for (const [m, n, k] of sizes) {
    check(space, {
      name: `sgemm_packed ${m} x ${n} x ${k}`,
      operands: [random.floats(m * k), random.floats(k * n), new Float32Array(m * n), random.floats(n)],
      run: (_, [a, b, c, bias]) => {
        const address = space.f32(scratch.length).byteOffset;
        space.kernels.sgemm_packed(m, n, k, a, k, b, c, n, bias, 0, address);
      },
    });
  }
});

test("elementwise kernels and optimizers", () => {
  const space = openKernels(1 << 16);
  const random = randomSource(2);
  for (const n of LENGTHS) {
    const blocks = (count: number): Float32Array[] => Array.from({ length: count }, () => random.floats(n, 0.1, 1));
    const scratch = space.memory.buffer.byteLength - 4096;
    const calls: [string, number, (k: Kernels, at: readonly number[]) => void][] = [
      ...(["exp", "log", "erf", "relu", "selu", "gelu", "silu", "softplus", "sigmoid", "tanh"] as const).map(
        (name): [string, number, Call["run"]] => [name, 2, (k, [x, y]) => k[name](n, x, y)],
      ),
      ["leaky_relu", 2, (k, [x, y]) => k.leaky_relu(n, x, y, 0.1)],
      ["elu", 2, (k, [x, y]) => k.elu(n, x, y, 1)],
      ...(["relu", "selu", "gelu", "silu", "softplus", "sigmoid", "tanh"] as const).map(
        (name): [string, number, Call["run"]] => [
          `${name}_backward`,
          3,
          (k, [saved, dy, dx]) => k[`${name}_backward`](n, saved, dy, dx),
        ],
      ),
      ["leaky_relu_backward", 3, (k, [saved, dy, dx]) => k.leaky_relu_backward(n, saved, dy, dx, 0.1)],
      ["elu_backward", 3, (k, [saved, dy, dx]) => k.elu_backward(n, saved, dy, dx, 1)],
      ["sgd_step", 2, (k, [p, g]) => k.sgd_step(n, p, g, 0.1, 0.1)],
      ["sgd_momentum_step", 3, (k, [p, g, buf]) => k.sgd_momentum_step(n, p, g, buf, 0.1, 0.9, 1, 0.1)],
      ["rmsprop_step", 4, (k, [p, g, v, buf]) => k.rmsprop_step(n, p, g, v, buf, 0.1, 0.9, 1e-8, 0.9, 0.1)],
      ["rmsprop_step", 3, (k, [p, g, v]) => k.rmsprop_step(n, p, g, v, 0, 0.1, 0.9, 1e-8, 0, 0.1)],
      ["adagrad_step", 3, (k, [p, g, sum]) => k.adagrad_step(n, p, g, sum, 0.1, 1e-10, 0.1)],
      ["adam_step", 4, (k, [p, g, m, v]) => k.adam_step(n, p, g, m, v, 0.1, 0.9, 0.99, 1e-8, 2, 3, 0.1)],
      ["adamw_step", 4, (k, [p, g, m, v]) => k.adamw_step(n, p, g, m, v, 0.1, 0.9, 0.99, 1e-8, 2, 3, 0.1)],
      ["moving_average", 2, (k, [average, x]) => k.moving_average(n, average, x, 0.1)],
      ["first_non_finite", 1, (k, [x]) => void k.first_non_finite(n, x)],
      ["largest_magnitude", 1, (k, [x]) => void k.largest_magnitude(n, x)],
      ["sum_squares", 1, (k, [x]) => k.sum_squares(n, x, scratch, 0)],
      ["clip_norm", 1, (k, [x]) => k.clip_norm(n, x, scratch, 0.1)],
      ["clip_value", 1, (k, [x]) => k.clip_value(n, x, 0.5)],
      ["fill", 1, (k, [x]) => k.fill(n, x, 2)],
      ["add", 3, (k, [x, y, out]) => k.add(n, x, y, out)],
      ["dropout", 2, (k, [x, y]) => k.dropout(n, x, y, 0, 1, 2, 3, 4, 5, 0.5, 2)],
      ["philox_u32", 1, (k, [x]) => k.philox_u32(n, x, 1, 2, 3, 4, 5, 1)],
      ["philox_uniform", 1, (k, [x]) => k.philox_uniform(n, x, 1, 2, 3, 4, 5, -1, 1)],
      ["philox_normal", 1, (k, [x]) => k.philox_normal(n, x, 1, 2, 3, 4, 5, 0, 1)],
    ];
    for (const [name, count, run] of calls) check(space, { name: `${name}, n = ${n}`, operands: blocks(count), run });
  }
});

test("kernels by rows", () => {
  const space = openKernels(1 << 17);
  const random = randomSource(3);
  for (const rows of [1, 3]) {
    for (const n of LENGTHS) {
      const matrix = (): Float32Array => random.floats(rows * n, 0, 1);
      const vector = (): Float32Array => random.floats(n, 0.5, 1);
      // Private buffers have rows of whole vectors.
      const ld = Math.ceil(n / 4) * 4;
      const padded = (): Float32Array => random.floats(ld, 0.5, 1);
      const wide = (): Float32Array => random.floats(rows * ld, 0, 1);
      /** Pads hold what lay past the operands' ends. */
      const wipe = (k: Kernels, ...addresses: number[]): void => {
        for (const address of addresses) {
          for (let i = 0; i < rows; i++) k.fill(ld - n, address + 4 * (i * ld + n), 0);
        }
      };
      const indices = Float32Array.from({ length: rows }, () => random.integer(5));
      const labels = Int32Array.from({ length: rows }, () => random.integer(n));
      const weights = random.floats(rows, 0.5, 1);
      const sums = new Float64Array(2);
      const losses = [
        "softmax_cross_entropy_dense",
        "sigmoid_binary_cross_entropy",
        "mean_squared_error",
        "mean_absolute_error",
      ] as const;
      const calls: Call[] = [
        ...losses.map(
          (name): Call => ({
            name,
            operands: [matrix(), matrix(), weights, matrix(), sums],
            run: (k, [z, t, w, dz, out]) => k[name](rows, n, z, n, t, n, w, dz, n, out),
          }),
        ),
        {
          name: "huber",
          operands: [matrix(), matrix(), weights, matrix(), sums],
          run: (k, [z, t, w, dz, out]) => k.huber(rows, n, z, n, t, n, w, dz, n, out, 0.5),
        },
        {
          name: "softmax_cross_entropy",
          operands: [matrix(), labels, weights, matrix(), sums],
          run: (k, [z, t, w, dz, out]) => k.softmax_cross_entropy(rows, n, z, n, t, w, dz, n, out),
        },
        {
          name: "softmax",
          operands: [matrix(), matrix()],
          run: (k, [x, y]) => k.softmax(rows, n, x, n, y, n),
        },
        {
          name: "softmax_backward",
          operands: [matrix(), matrix(), matrix()],
          run: (k, [y, dy, dx]) => k.softmax_backward(rows, n, y, n, dy, n, dx, n),
        },
        {
          name: "gather_rows",
          operands: [indices, random.floats(5 * n), matrix()],
          run: (k, [index, table, y]) => k.gather_rows(rows, n, index, 1, table, n, y, n),
        },
        {
          name: "scatter_rows",
          operands: [indices, matrix(), random.floats(5 * n)],
          run: (k, [index, dy, dtable]) => k.scatter_rows(rows, n, index, 1, dy, n, dtable, n),
        },
        {
          name: "layer_norm",
          operands: [matrix(), vector(), vector(), weights, wide(), wide()],
          run: (k, [x, g, b, r, h, y]) => {
            k.layer_norm(rows, n, x, n, g, b, 1e-5, r, h, ld, y, ld);
            wipe(k, h, y);
          },
        },
        {
          name: "layer_norm_backward",
          operands: [matrix(), weights, vector(), matrix(), wide()],
          run: (k, [h, r, g, dy, dx]) => {
            k.layer_norm_backward(rows, n, h, n, r, g, dy, n, dx, ld);
            wipe(k, dx);
          },
        },
        ...[0, 1].map(
          (training): Call => ({
            name: `batch_norm, training ${training}`,
            operands: [matrix(), vector(), vector(), padded(), padded(), padded(), wide(), wide()],
            run: (k, [x, g, b, m, v, r, h, y]) => {
              k.batch_norm(rows, n, x, n, g, b, 1e-5, m, v, r, h, ld, y, ld, training);
              for (const vector of [m, v, r]) k.fill(ld - n, vector + 4 * n, 0);
              wipe(k, h, y);
            },
          }),
        ),
        {
          name: "batch_norm_backward",
          operands: [matrix(), matrix(), vector(), vector(), vector(), vector(), wide()],
          run: (k, [h, dy, g, r, dg, db, dx]) => {
            k.batch_norm_backward(rows, n, h, n, dy, n, g, r, dg, db, 1, dx, ld, 1);
            wipe(k, dx);
          },
        },
        {
          name: "smooth_labels",
          operands: [labels, matrix()],
          run: (k, [t, y]) => k.smooth_labels(rows, n, t, y, n, 0.1),
        },
        {
          name: "smooth_rows",
          operands: [matrix(), matrix()],
          run: (k, [t, y]) => k.smooth_rows(rows, n, t, n, y, n, 0.1),
        },
        {
          name: "column_sums",
          operands: [matrix(), random.floats(n)],
          run: (k, [x, out]) => k.column_sums(rows, n, x, n, out, 1),
        },
        {
          name: "copy_matrix",
          operands: [matrix(), new Float32Array(rows * (n + 1))],
          run: (k, [x, y]) => k.copy_matrix(rows, n, x, n, y, n + 1),
        },
        {
          name: "argmax",
          operands: [matrix(), new Int32Array(rows)],
          run: (k, [x, out]) => k.argmax(rows, n, x, n, out),
        },
        {
          name: "count_correct",
          operands: [matrix(), labels],
          run: (k, [x, t]) => void k.count_correct(rows, n, x, n, t),
        },
        {
          name: "count_correct_dense",
          operands: [matrix(), matrix()],
          run: (k, [x, t]) => void k.count_correct_dense(rows, n, x, n, t, n),
        },
        {
          name: "count_correct_binary",
          operands: [matrix(), matrix()],
          run: (k, [x, t]) => void k.count_correct_binary(rows, n, x, n, t, n, 0.5),
        },
      ];
      for (const call of calls) check(space, { ...call, name: `${call.name}, ${rows} x ${n}` });
    }
  }
});
