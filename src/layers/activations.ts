// The activation functions: which kernel goes forward, which goes back, and from what.
import type { AnyLayer, BufferRef, Builder, Emitted } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import { checkKeys, checkNumber } from "../options.ts";

const NAMES = [
  "linear",
  "relu",
  "leaky-relu",
  "elu",
  "selu",
  "gelu",
  "silu",
  "softplus",
  "sigmoid",
  "tanh",
  "softmax",
] as const;

/** The activation functions. */
export type ActivationName = (typeof NAMES)[number];

/** A name, or a name with its parameter: leaky-relu's slope (default 0.01), elu's alpha (default 1). */
export type Activation = ActivationName | { readonly kind: "leaky-relu" | "elu"; readonly alpha?: number };

export function activationName(activation: Activation): ActivationName {
  return typeof activation === "string" ? activation : activation.kind;
}

/** The activation that a dense or an activation layer ends in. */
export function activationOf(spec: AnyLayer): Activation | undefined {
  const { kind, activation } = spec as { readonly kind: string; readonly activation?: Activation };
  return kind === "dense" || kind === "activation" ? activation : undefined;
}

/** Errors: CONFIG. A parameter at its default becomes the plain name, so that equal activations have equal specs. */
export function normalizeActivation(where: string, activation: Activation): Activation {
  if (typeof activation === "string" && NAMES.includes(activation)) return activation;
  if (typeof activation === "object" && activation !== null && NAMES.includes(activation.kind)) {
    const { kind } = activation;
    if (kind !== "leaky-relu" && kind !== "elu") {
      checkKeys(`${where}, activation ${kind}`, activation, ["kind"]);
      return kind;
    }
    const at = `${where}, activation ${kind}`;
    checkKeys(at, activation, ["kind", "alpha"]);
    if (activation.alpha === undefined) return kind;
    // A negative alpha makes elu fold back on itself: its gradient could not be told from its output.
    const alpha = checkNumber(at, "alpha", activation.alpha, { low: kind === "elu" ? 0 : undefined, single: true });
    return alpha === parameter(kind) ? kind : Object.freeze({ kind, alpha });
  }
  throw new SimdgradError(
    "CONFIG",
    `${where}: expected an activation, received ${show(activation)}.`,
    `Known: ${NAMES.join(", ")}; with parameters { kind: "leaky-relu", alpha } and { kind: "elu", alpha }.`,
  );
}

function parameter(activation: Activation): number {
  if (typeof activation === "object" && activation.alpha !== undefined) return activation.alpha;
  return activationName(activation) === "leaky-relu" ? 0.01 : 1;
}

/** The ReLU family, whose kernels start with he-normal. */
const RELU_FAMILY: readonly ActivationName[] = ["relu", "leaky-relu", "elu", "gelu", "silu", "softplus"];

/** The kernel initializer that suits what follows.
 *  Source: He et al. 2015 (ReLU family), Klambauer et al. 2017 (selu), Glorot & Bengio 2010 (the rest). */
export function defaultKernelInit(activation: Activation): "he-normal" | "lecun-normal" | "glorot-uniform" {
  const name = activationName(activation);
  if (RELU_FAMILY.includes(name)) return "he-normal";
  return name === "selu" ? "lecun-normal" : "glorot-uniform";
}

/** Emits y = f(x) and how to go back; in place wherever the gradient needs no more than the output. */
export function emitActivation(activation: Activation, b: Builder, x: BufferRef): Emitted {
  const name = activationName(activation);
  switch (name) {
    case "linear":
      return { output: x, backward: (_, dy) => dy };
    case "softmax":
      return emitSoftmax(b, x);
    case "leaky-relu":
    case "elu":
      return emitParametrised(name === "elu" ? "elu" : "leaky_relu", parameter(activation), b, x);
    case "gelu":
    case "silu":
    case "softplus":
      return emitFromInput(name, b, x);
    default:
      return emitFromOutput(name, b, x);
  }
}

function emitFromOutput(name: "relu" | "selu" | "sigmoid" | "tanh", b: Builder, x: BufferRef): Emitted {
  const y = b.inPlace(x);
  b.call(y, name, b.elements(x), x, y);
  return { output: y, backward: backwardFromOutput(name, b, y) };
}

/** The way back alone, for who made y = f(x) in a fused step. */
export function backwardFromOutput(
  name: "relu" | "selu" | "sigmoid" | "tanh",
  b: Builder,
  y: BufferRef,
): Emitted["backward"] {
  b.keep(y);
  return (b, dy) => emitGradient(b, dy, `${name}_backward`, y);
}

type Gradient = `${"relu" | "selu" | "sigmoid" | "tanh" | "gelu" | "silu" | "softplus"}_backward`;

function emitGradient(b: Builder, dy: BufferRef, kernel: Gradient, saved: BufferRef): BufferRef {
  const dx = b.inPlace(dy);
  b.call(dx, kernel, b.elements(dx), saved, dy, dx);
  return dx;
}

function emitFromInput(name: "gelu" | "silu" | "softplus", b: Builder, x: BufferRef): Emitted {
  b.keep(x);
  const y = b.inPlace(x);
  b.call(y, name, b.elements(x), x, y);
  return {
    output: y,
    backward: (b, dy) => emitGradient(b, dy, `${name}_backward`, x),
  };
}

function emitParametrised(kernel: "leaky_relu" | "elu", alpha: number, b: Builder, x: BufferRef): Emitted {
  // A negative slope loses the input's sign in the output.
  const fromInput = alpha < 0;
  if (fromInput) b.keep(x);
  const y = b.inPlace(x);
  b.call(y, kernel, b.elements(x), x, y, alpha);
  if (!fromInput) b.keep(y);
  return {
    output: y,
    backward: (b, dy) => {
      const dx = b.inPlace(dy);
      b.call(dx, `${kernel}_backward`, b.elements(dx), fromInput ? x : y, dy, dx, alpha);
      return dx;
    },
  };
}

function emitSoftmax(b: Builder, x: BufferRef): Emitted {
  const y = b.inPlace(x);
  b.call(y, "softmax", b.rows, x.columns, x, x.stride, y, y.stride);
  b.keep(y);
  return {
    output: y,
    backward: (b, dy) => {
      const dx = b.inPlace(dy);
      b.call(dx, "softmax_backward", b.rows, y.columns, y, y.stride, dy, dy.stride, dx, dx.stride);
      return dx;
    },
  };
}
