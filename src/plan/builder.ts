// Collects the steps of one program. Rules call it; it never knows an address.
import type { Arg, BufferRef, Builder, Gemm, Host, Region, Rows, Step } from "../contract.ts";
import { seedWords } from "../numerics.ts";
import { GEMM_ACCUMULATE, GEMM_PADDED, GEMM_RELU, type KernelName } from "../runtime/abi.ts";

/** Whether a way back follows. */
type Mode = "training" | "inference";

/** What the steps of a network refer to. */
interface Sources {
  readonly spec: { readonly seed: number };
  /** Of the parameters that train. */
  readonly gradientOf: ReadonlyMap<BufferRef, BufferRef>;
}

/** A batch-sized buffer; private ones have rows padded to whole vectors. */
export function batchBuffer(name: string, region: Region, columns: number, padded = true): BufferRef {
  return { name, region, perRow: true, columns, stride: padded ? Math.ceil(columns / 4) * 4 : columns };
}

/** A buffer whose size the batch does not change. Units: length in f32 elements. */
export function fixedBuffer(name: string, region: Region, length: number): BufferRef {
  return { name, region, perRow: false, columns: length, stride: length };
}

/** Packing space of sgemm; the arena gives it the largest need of all products. */
export const SCRATCH = /* @__PURE__ */ fixedBuffer("scratch", "scratch", 0);

export class ProgramBuilder implements Builder {
  readonly rows: Rows = { times: 1 };
  readonly steps: Step[] = [];
  readonly commits: Step[] = [];
  readonly training: boolean;
  readonly seed: readonly [low: number, high: number];
  accumulate = false;
  /** The layer that is being emitted. */
  owner = "";
  private backward = false;
  private readonly kept = new Set<BufferRef>();
  private readonly names = new Map<string, number>();
  private readonly mode: Mode;
  private readonly region: Region;
  private readonly gradients: ReadonlyMap<BufferRef, BufferRef>;

  /** `training`: whether layers do what they do in training; a way back is there in either case. */
  constructor(mode: Mode, { spec, gradientOf }: Sources, training = mode === "training") {
    this.mode = mode;
    this.training = training;
    this.seed = seedWords(spec.seed);
    // Inference borrows the space of activation gradients: it may then run between a forward and its backward.
    this.region = mode === "training" ? "activations" : "activationGradients";
    this.gradients = gradientOf;
  }

  /** From here on buffers are gradients. */
  startBackward(accumulate: boolean): void {
    this.backward = true;
    this.accumulate = accumulate;
  }

  elements(x: BufferRef): Rows {
    return { times: x.stride };
  }

  buffer(columns: number, padded = true): BufferRef {
    return batchBuffer(this.freshName(), this.backward ? "activationGradients" : this.region, columns, padded);
  }

  slice(block: BufferRef, offset: number, columns: number): BufferRef {
    return { ...block, name: `${block.name}[${offset}]`, columns, within: { block, offset } };
  }

  vector(length: number): BufferRef {
    return fixedBuffer(this.freshName(), this.backward ? "activationGradients" : this.region, length);
  }

  private freshName(): string {
    const base = this.backward ? `d${this.owner}` : `a${this.owner}`;
    const used = this.names.get(base) ?? 0;
    this.names.set(base, used + 1);
    return used === 0 ? base : `${base}'${used + 1}`;
  }

  inPlace(x: BufferRef): BufferRef {
    if (!this.kept.has(x)) return x;
    return { ...this.buffer(x.columns), stride: x.stride };
  }

  keep(x: BufferRef): void {
    if (this.mode === "training") this.kept.add(x);
  }

  hold(x: BufferRef): void {
    this.kept.add(x);
  }

  gradient(parameter: BufferRef): BufferRef | undefined {
    return this.gradients.get(parameter);
  }

  call(writes: BufferRef, kernel: KernelName, ...args: Arg[]): void {
    this.steps.push({ kernel, args, owner: this.owner, writes });
  }

  commit(writes: BufferRef, kernel: KernelName, ...args: Arg[]): void {
    this.commits.push({ kernel, args, owner: this.owner, writes });
  }

  gemm({ layout, m, n, k, a, b, c, bias, accumulate = false, relu = false }: Gemm): void {
    const padded = c.perRow && c.stride !== c.columns;
    const flags = (accumulate ? GEMM_ACCUMULATE : 0) | (relu ? GEMM_RELU : 0) | (padded ? GEMM_PADDED : 0);
    const ld = (x: BufferRef, columns: number | Rows) => (x.perRow ? x.stride : columns);
    const ldb = ld(b, layout === "nt" ? k : n);
    const lda = ld(a, layout === "tn" ? m : k);
    this.call(c, `sgemm_${layout}`, m, n, k, a, lda, b, ldb, c, ld(c, n), bias ?? 0, flags, SCRATCH);
  }

  host(buffers: readonly [BufferRef, ...BufferRef[]], host: Host): void {
    this.steps.push({ kernel: "host", args: buffers, owner: this.owner, writes: buffers[0], host });
  }
}
