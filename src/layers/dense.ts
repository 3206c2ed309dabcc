// The dense (fully connected) layer: y = f(x W + b).
import type { BufferRef, Builder, Emitted, LayerRule } from "../contract.ts";
import { type Initializer, normalizeInitializer } from "../initializers.ts";
import { checkBoolean, checkCount, checkKeys, orDefault } from "../options.ts";
import type { ActivationSpec } from "./activation.ts";
import {
  type Activation,
  backwardFromOutput,
  defaultKernelInit,
  emitActivation,
  normalizeActivation,
} from "./activations.ts";

/** Options of `dense`. */
export interface DenseOptions {
  /** What becomes of x W + b. Default "linear": nothing. */
  activation?: Activation | undefined;
  /** Whether a bias, a learned number a unit, is added to x W. Default true. */
  useBias?: boolean | undefined;
  /** What W starts from. Default: what suits the activation that follows (he-normal, lecun-normal or glorot-uniform),
   *  also behind dropout and norms. */
  kernelInit?: Initializer | undefined;
  /** What the biases start from. Default "zeros". */
  biasInit?: Initializer | undefined;
  /** false freezes kernel and bias. Default true. */
  trainable?: boolean | undefined;
}

/** A dense layer as data. */
export interface DenseSpec {
  readonly kind: "dense";
  readonly units: number;
  readonly activation: Activation;
  readonly useBias: boolean;
  /** Absent until the model knows what follows. */
  readonly kernelInit?: Initializer;
  readonly biasInit: Initializer;
  readonly trainable: boolean;
}

/** y = f(x W + b). Shapes: x [rows, in], W [in, units] row-major, b [units], y [rows, units]. Errors: CONFIG. */
export function dense(units: number, options: DenseOptions = {}): DenseSpec {
  checkKeys("dense", options, ["activation", "useBias", "kernelInit", "biasInit", "trainable"]);
  return denseRule.normalize({ ...options, kind: "dense", units } as DenseSpec);
}

export const denseRule: LayerRule<DenseSpec> = {
  normalize(spec) {
    checkKeys("dense", spec, ["kind", "units", "activation", "useBias", "kernelInit", "biasInit", "trainable"]);
    const { kernelInit } = spec;
    return Object.freeze({
      kind: "dense",
      units: checkCount("dense", "units", spec.units),
      activation: normalizeActivation("dense", orDefault(spec.activation, "linear")),
      useBias: checkBoolean("dense", "useBias", orDefault(spec.useBias, true)),
      ...(kernelInit === undefined ? {} : { kernelInit: normalizeInitializer("dense", "kernelInit", kernelInit) }),
      biasInit: normalizeInitializer("dense", "biasInit", orDefault(spec.biasInit, "zeros")),
      trainable: checkBoolean("dense", "trainable", orDefault(spec.trainable, true)),
    });
  },

  resolve(spec, next) {
    if (spec.kernelInit !== undefined) return spec;
    const apart = spec.activation === "linear" && next?.kind === "activation";
    const activation = apart ? (next as ActivationSpec).activation : spec.activation;
    // Normalized again for the order of its keys: equal specs are equal text.
    return this.normalize({ ...spec, kernelInit: defaultKernelInit(activation) });
  },

  anyStride: true,

  units: (spec) => spec.units,

  parameters(spec, inputs) {
    const { units, trainable } = spec;
    const kernel = { name: "kernel", shape: [inputs, units], init: spec.kernelInit, trainable };
    return spec.useBias ? [kernel, { name: "bias", shape: [units], init: spec.biasInit, trainable }] : [kernel];
  },

  emit(spec, b, x, [kernel, bias]) {
    const relu = spec.activation === "relu";
    const product = emitProduct(b, x, kernel, bias, spec.units, relu);
    const y = relu
      ? { output: product.output, backward: backwardFromOutput("relu", b, product.output) }
      : emitActivation(spec.activation, b, product.output);
    return {
      output: y.output,
      backward: (b, dy, wantsInput) => {
        const dProduct = y.backward(b, dy, true) as BufferRef;
        return product.backward(b, dProduct, wantsInput);
      },
    };
  },
};

/** z = x W + b; back: dW = x^T dz, db = column sums of dz, dx = dz W^T. */
function emitProduct(
  b: Builder,
  x: BufferRef,
  kernel: BufferRef,
  bias: BufferRef | undefined,
  units: number,
  relu: boolean,
): Emitted {
  const inputs = x.columns;
  const z = b.buffer(units);
  b.gemm({ layout: "nn", m: b.rows, n: units, k: inputs, a: x, b: kernel, c: z, bias, relu });
  b.keep(x);
  return {
    output: z,
    backward: (b, dz, wantsInput) => {
      const { accumulate } = b;
      const dKernel = b.gradient(kernel);
      const dBias = bias && b.gradient(bias);
      if (dKernel) b.gemm({ layout: "tn", m: inputs, n: units, k: b.rows, a: x, b: dz, c: dKernel, accumulate });
      if (dBias) b.call(dBias, "column_sums", b.rows, units, dz, dz.stride, dBias, accumulate ? 1 : 0);
      if (!wantsInput) return undefined;
      const dx = b.buffer(inputs);
      b.gemm({ layout: "nt", m: b.rows, n: inputs, k: units, a: dz, b: kernel, c: dx });
      return dx;
    },
  };
}
