// Worst error of the elementwise kernels over the whole range of f32, against f64 references.
//   node scripts/ulp.mjs [module.wasm] [--full] [kernel ...]
// Every 107th bit pattern (40 million inputs a kernel), with --full all 2^32. One ulp is the distance between the two
// f32 around the true value (2^-149 below the normal range); Inf counts as 2^128. Exit status 1 when a kernel gives a
// NaN where there is none, or none where there is one.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

/** erf x for 0 <= x < 3: 2/sqrt(pi) e^(-x^2) sum of 2^k x^(2k+1) / (1 3 5 ... (2k+1)), all terms positive. */
function erfSeries(x) {
  let term = x;
  let sum = x;
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return TWO_OVER_SQRT_PI * Math.exp(-x * x) * sum;
}

/** erfc x for x >= 3: Laplace's continued fraction, from its 60th term back. */
function erfcFraction(x) {
  let tail = x;
  for (let k = 60; k > 0; k--) tail = x + k / 2 / tail;
  // e^(-x^2) with x^2 in two parts: x is an f32 or a quotient by sqrt(2), its square is rounded in f64.
  const high = Math.fround(x);
  const square = Math.exp(-high * high) * Math.exp((high - x) * (high + x));
  return square / (tail * Math.sqrt(Math.PI));
}

function erf(x) {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  const y = a < 3 ? erfSeries(a) : 1 - erfcFraction(a);
  return x < 0 ? -y : y;
}

function erfc(x) {
  if (x < 0) return 2 - erfc(-x);
  if (x > 30) return 0;
  return x < 0.5 ? 1 - erfSeries(x) : x < 3 ? erfcMiddle(x) : erfcFraction(x);
}

/** erfc x for 0.5 <= x < 3 without the cancellation of 1 - erf: the same fraction, deeper. */
function erfcMiddle(x) {
  let tail = x;
  for (let k = Math.ceil(900 / (x * x)); k > 0; k--) tail = x + k / 2 / tail;
  return Math.exp(-x * x) / (tail * Math.sqrt(Math.PI));
}

const sigmoid = (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const timesX = (x, factor) => (factor === 0 ? 0 : x * factor);

// Below `from` a kernel whose factors underflow is only right absolutely: there counts |error| / |x|.
const measured = {
  exp: { reference: Math.exp },
  log: { reference: Math.log },
  erf: { reference: erf },
  sigmoid: { reference: sigmoid },
  tanh: { reference: Math.tanh },
  softplus: { reference: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) },
  gelu: { reference: (x) => timesX(x, 0.5 * erfc(-x / Math.SQRT2)), from: -2 },
  silu: { reference: (x) => timesX(x, sigmoid(x)), from: -87 },
  elu: { reference: (x) => (x > 0 ? x : Math.expm1(x)) },
};

/** The module's bytes: the given file, the release build, or a build of its own. */
function wasmBytes(path) {
  const release = join(root, "build/strict.wasm");
  if (path || existsSync(release)) return readFileSync(path ?? release);
  const directory = mkdtempSync(join(tmpdir(), "simdgrad-ulp-"));
  try {
    const file = join(directory, "strict.wasm");
    const compiler = join(root, "node_modules/assemblyscript/bin/asc.js");
    const { status } = spawnSync(process.execPath, [compiler, "--target", "release", "--outFile", file], {
      cwd: root,
      stdio: "inherit",
    });
    if (status !== 0) throw new Error("asc failed");
    return readFileSync(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const f64 = new Float64Array(1);
const words = new Uint32Array(f64.buffer);
const ulps = Float64Array.from({ length: 2047 }, (_, e) => 2 ** (Math.max(e - 1023, -126) - 23));
const OVERFLOW = 2 ** 128;

/** Error of `got` in ulps of the true value. */
function ulpError(got, expected) {
  if (got === expected) return 0;
  if (Number.isNaN(got) || Number.isNaN(expected)) return Object.is(got, expected) ? 0 : Number.POSITIVE_INFINITY;
  const y = Math.max(-OVERFLOW, Math.min(OVERFLOW, expected));
  const x = Math.max(-OVERFLOW, Math.min(OVERFLOW, got));
  f64[0] = y;
  const exponent = Math.min((words[1] >>> 20) & 0x7ff, 1023 + 127);
  return Math.abs(x - y) / ulps[exponent];
}

const BLOCK = 1 << 16;
const ADDRESS = 1 << 16;

/** Worst errors of `kernel` over every `stride`-th bit pattern. */
function sweep(kernel, { reference, from = Number.NEGATIVE_INFINITY }, memory, stride) {
  const bits = new Uint32Array(memory.buffer, ADDRESS, BLOCK);
  const x = new Float32Array(memory.buffer, ADDRESS, BLOCK);
  const y = new Float32Array(memory.buffer, ADDRESS + 4 * BLOCK, BLOCK);
  const worst = { ulp: 0, at: 0, got: 0, expected: 0, below: 0 };
  for (let next = 0; next < 2 ** 32; ) {
    let n = 0;
    for (; n < BLOCK && next < 2 ** 32; next += stride) bits[n++] = next;
    kernel(n, x.byteOffset, y.byteOffset, 1);
    for (let i = 0; i < n; i++) {
      const expected = reference(x[i]);
      if (x[i] < from) worst.below = Math.max(worst.below, Math.abs((y[i] - expected) / Math.max(x[i], -3e38)));
      else {
        const error = ulpError(y[i], expected);
        if (error > worst.ulp) Object.assign(worst, { ulp: error, at: x[i], got: y[i], expected });
      }
    }
  }
  return worst;
}

const options = process.argv.slice(2);
const path = options.find((option) => option.endsWith(".wasm"));
const chosen = options.filter((option) => option in measured);
const stride = options.includes("--full") ? 1 : 107;
const memory = new WebAssembly.Memory({ initial: (ADDRESS + 2 * 4 * BLOCK) / 65536 });
const kernels = new WebAssembly.Instance(new WebAssembly.Module(wasmBytes(path)), { env: { memory } }).exports;

for (const name of chosen.length ? chosen : Object.keys(measured)) {
  const { ulp, at, got, expected, below } = sweep(kernels[name], measured[name], memory, stride);
  let line = `${name.padEnd(9)} ${ulp.toFixed(3)} ulp at ${at}: ${got}, true ${expected}`;
  const { from } = measured[name];
  if (from) line += `; below ${from}: |error| <= ${below.toExponential(2)} |x|`;
  console.log(line);
  if (!(ulp < Infinity && below < Infinity)) process.exitCode = 1;
}
