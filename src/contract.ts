// The interfaces between the floors: what layers, losses and optimizers tell the planner, and what a plan is made of.
// Types only.
import type { InferKernels, KernelName, Kernels } from "./runtime/abi.ts";

/** The regions of a model's memory, in this order. */
export type Region =
  | "parameters"
  | "buffers"
  | "gradients"
  | "moments"
  | "activations"
  | "activationGradients"
  | "scratch"
  | "inputOutput";

/** A place in a model's memory, by name: the arena decides the address. Batch-sized when `perRow`. */
export interface BufferRef {
  readonly name: string;
  readonly region: Region;
  readonly perRow: boolean;
  /** Elements in use of a row; the whole length when not `perRow`. */
  readonly columns: number;
  /** Elements from one row to the next: columns, or columns rounded up to 4 in private buffers. */
  readonly stride: number;
  /** A part of another buffer. Units: elements. */
  readonly within?: { readonly block: BufferRef; readonly offset: number };
}

/** The batch's number of rows, times a constant. */
export interface Rows {
  readonly times: number;
}

/** What changes from one optimizer step to the next. */
export interface UpdateState {
  readonly learningRate: number;
  /** Optimizer steps made before this one. */
  readonly step: number;
  /** Counts forward passes in training mode from 1. */
  readonly forwards: number;
}

/** A scalar computed before each call. */
export interface Scalar {
  readonly name: string;
  readonly value: (state: UpdateState) => number;
}

/** A kernel's argument before it is bound: a constant, an address, a row count, or a scalar of the moment. */
export type Arg = number | BufferRef | Rows | Scalar;

/** JavaScript on views of buffers, whole rows of those that the batch sizes. */
export type Host = (rows: number, ...views: Float32Array[]) => void;

/** One kernel call of a plan; `host` steps run JavaScript on views of the memory instead. */
export interface Step {
  readonly kernel: KernelName | keyof InferKernels | "host";
  readonly args: readonly Arg[];
  /** The layer (its index path) or the part of the plan it belongs to. */
  readonly owner: string;
  /** What it writes. */
  readonly writes: BufferRef;
  readonly host?: Host;
}

type ArgsOf<F> = F extends (...args: infer P) => unknown ? { [I in keyof P]: Arg } : never;

export interface Gemm {
  layout: "nn" | "nt" | "tn";
  m: number | Rows;
  n: number | Rows;
  k: number | Rows;
  a: BufferRef;
  b: BufferRef;
  c: BufferRef;
  bias?: BufferRef | undefined;
  accumulate?: boolean;
  relu?: boolean;
}

/** How rules put steps into a list. They never see addresses or batch sizes. */
export interface Builder {
  readonly rows: Rows;
  /** Whether parameter gradients are added to what is there (custom loops) or overwritten (trainBatch). */
  readonly accumulate: boolean;
  /** Training mode: dropout drops, batches are normalized by their own statistics. */
  readonly training: boolean;
  /** The key of all random numbers: low and high word of the seed. */
  readonly seed: readonly [low: number, high: number];
  /** rows * stride: the element count of an elementwise kernel over a whole buffer. */
  elements(x: BufferRef): Rows;
  /** A fresh buffer of rows x columns for activations, or for their gradients in the backward part; not `padded`:
   *  without room between its rows. */
  buffer(columns: number, padded?: boolean): BufferRef;
  /** Some neighbouring columns of a batch-sized buffer. */
  slice(x: BufferRef, first: number, columns: number): BufferRef;
  /** A fresh buffer that the batch does not size. */
  vector(length: number): BufferRef;
  /** x itself when nobody needs its present content any more, else a fresh buffer of the same stride. */
  inPlace(x: BufferRef): BufferRef;
  /** The content of x is needed by the backward part. */
  keep(x: BufferRef): void;
  /** The content of x is needed by later steps of this part: those in between must not work in place. */
  hold(x: BufferRef): void;
  /** A parameter's gradient; none when it is frozen. */
  gradient(parameter: BufferRef): BufferRef | undefined;
  call<K extends KernelName>(writes: BufferRef, kernel: K, ...args: ArgsOf<Kernels[K]>): void;
  gemm(product: Gemm): void;
  /** A call for the end of a training step that succeeds: what a step that fails must leave as it was. */
  commit<K extends KernelName>(writes: BufferRef, kernel: K, ...args: ArgsOf<Kernels[K]>): void;
  /** Runs JavaScript on views of buffers, the first of which it writes. */
  host(buffers: readonly [BufferRef, ...BufferRef[]], fn: Host): void;
}

/** Emits the backward steps: takes dLoss/dOutput, gives dLoss/dInput, or nothing when `wantsInput` is false. */
export type Pullback = (b: Builder, dy: BufferRef, wantsInput: boolean) => BufferRef | undefined;

/** What a rule's forward part gives: where the output is, and how to go back. */
export interface Emitted {
  readonly output: BufferRef;
  readonly backward: Pullback;
}

export interface ParameterShape {
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: unknown;
  /** Frozen parameters have no gradient and are never updated. */
  readonly trainable: boolean;
}

/** Running statistics of a layer: saved, but not trained. */
export interface BufferShape {
  readonly name: string;
  readonly length: number;
  readonly initial: number;
  /** Its least sensible value. */
  readonly low?: number;
}

/** A column of x that holds whole numbers from 0 to count - 1. */
export interface IndexColumn {
  readonly column: number;
  readonly count: number;
}

/** A layer as data: its kind and that kind's options. */
export interface AnyLayer {
  readonly kind: string;
}

/** The rules of the kinds that plain data may name. */
export type LayerRules = Readonly<Record<string, LayerRule<AnyLayer>>>;

/** A layer kind: its shape rule, its parameters and its steps. */
export interface LayerRule<S extends AnyLayer> {
  /** Checks a spec that may come from a file, and fills in defaults; layers within it may be of the `known` kinds.
   *  `depth`: how many layers it lies within. The result carries its rule (src/layers/rule.ts), unless its kind is
   *  always known. Errors: CONFIG. */
  normalize(spec: S, known?: LayerRules, depth?: number): S;
  /** Fills in what depends on the layer after it, those that pass on aside. */
  resolve?(spec: S, next: { readonly kind: string } | undefined): S;
  /** What suits the layer after it suits the one before: it drops or normalizes, and hands on. */
  readonly passes?: true;
  /** Its forward steps take an input of any stride; other layers get one that is padded like the rest. */
  readonly anyStride?: true;
  /** The lists of layers within it. */
  chains?(spec: S): readonly LayerChain[];
  /** `outputs`: those of each list within it. Errors: CONFIG. */
  units(spec: S, inputs: number, outputs: readonly number[]): number;
  parameters(spec: S, inputs: number): readonly ParameterShape[];
  buffers?(spec: S, inputs: number): readonly BufferShape[];
  /** The column of x where it finds indices; `before`: the layers before it, none within another. Errors: CONFIG. */
  indices?(spec: S, before: readonly AnyLayer[] | undefined): IndexColumn;
  /** Its steps in training mode are not those in inference mode. */
  readonly modal?: true;
  /** It runs JavaScript, which no other lane has. */
  readonly hosted?: true;
  /** Rows that a training batch has at least. */
  readonly minRows?: number;
  emit(spec: S, b: Builder, x: BufferRef, parameters: readonly BufferRef[], parts: LayerParts): Emitted;
}

/** Layers after each other within a layer; `path` comes before their index in their names. */
interface LayerChain {
  readonly path: string;
  readonly layers: readonly AnyLayer[];
}

/** What the planner hands a layer besides its parameters. */
interface LayerParts {
  /** Emit the lists of layers within it. */
  readonly chains: readonly ((b: Builder, x: BufferRef) => Emitted)[];
  readonly buffers: readonly BufferRef[];
  /** Its number among the network's layers: the stream of its random numbers. */
  readonly index: number;
}

/** Where a loss finds its targets: class indices i32[rows] or rows of f32. */
export interface Targets {
  readonly kind: "labels" | "rows";
  readonly ref: BufferRef;
}

/** A loss: the head it is fused with and the one step that gives loss and gradient. */
export interface LossRule<S> {
  normalize(spec: S): S;
  readonly head?: "softmax" | "sigmoid";
  /** What targets mean: classes (indices or probability rows), values in [0, 1], or any number. */
  readonly targets: "classes" | "probabilities" | "values";
  /** Writes sum(w l) and sum(w) to `sums` (f64[2]) and the gradient by z to dz; the sums go on from `running`, if any. */
  emit(
    spec: S,
    b: Builder,
    z: BufferRef,
    targets: Targets,
    weights: BufferRef | 0,
    dz: BufferRef,
    sums: BufferRef,
    running: BufferRef | 0,
  ): void;
}

/** The flat blocks an optimizer works on, n elements each: all parameters, or a run of them between frozen ones. */
export interface UpdateBlocks {
  readonly n: number;
  readonly parameters: BufferRef;
  readonly gradients: BufferRef;
  readonly moments: readonly BufferRef[];
}

/** What parameters and moments are at most, in magnitude; means of squares only have to be finite. */
export interface Magnitudes {
  readonly parameter: number;
  readonly moment: number;
}

export interface OptimizerRule<S> {
  normalize(spec: S): S;
  /** Names of the moments it keeps, e.g. m and v. */
  moments(spec: S): readonly string[];
  /** What a step leads to at most, at this rate and from gradients and `most` of at least 1: no number within the step
   *  is larger, but for squares, which stay below 1e30. Infinity or NaN where that cannot be told. */
  bound(spec: S, rate: number, gradient: number, most: Magnitudes): Magnitudes;
  emit(spec: S, b: Builder, blocks: UpdateBlocks): void;
}

/** Where an initializer's random numbers come from: key and stream of the counter-based generator. */
export interface RandomStream {
  readonly seedLow: number;
  readonly seedHigh: number;
  readonly purpose: number;
  readonly stream: number;
}
