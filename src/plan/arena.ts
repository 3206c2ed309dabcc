// Where every buffer lies in a model's memory: offset arithmetic only.
import type { Arg, BufferRef, Region, Step } from "../contract.ts";
import { ARENA_BASE } from "../runtime/abi.ts";
import { gemmScratchBytes, packedScratchBytes } from "../runtime/scratch.ts";
import { SCRATCH } from "./builder.ts";

export const REGIONS: readonly Region[] = [
  "parameters",
  "buffers",
  "gradients",
  "moments",
  "activations",
  "activationGradients",
  "scratch",
  "inputOutput",
];

const ALIGN = 64;
/** Kernels may read 16 bytes past a matrix's end. */
const SPARE = 64;
/** Room for the shuffle's random words. */
export const MIN_SCRATCH_BYTES = 4096;

/** Steps that run after each other, and the buffers that its caller fills before or reads after. */
export interface Program {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Filled before the first step. */
  readonly inputs: readonly BufferRef[];
  /** Read after the last step. */
  readonly outputs: readonly BufferRef[];
  /** Run once a training step has succeeded. */
  readonly commits?: readonly Step[];
}

export interface Placement {
  readonly capacity: number;
  readonly regions: Readonly<Record<Region, { readonly address: number; readonly bytes: number }>>;
  /** Bytes of scratch that each lane has. */
  readonly scratchStep: number;
  /** End of the arena, spare bytes included: what the memory must hold. */
  readonly end: number;
  /** Units: bytes from the start of the memory. */
  address(buffer: BufferRef): number;
}

/** Places fixed buffers one after the other in the order given, and each program's own buffers over those of the
 *  others: only one program runs at a time, and training activations have a region of their own. */
export function place(
  fixed: readonly BufferRef[],
  programs: readonly Program[],
  capacity: number,
  lanes: number,
): Placement {
  const offsets = new Map<BufferRef, number>();
  const bytes = Object.fromEntries(REGIONS.map((region) => [region, 0])) as Record<Region, number>;
  for (const buffer of fixed) {
    offsets.set(buffer, bytes[buffer.region]);
    bytes[buffer.region] += align(buffer.columns * 4);
  }
  const fixedBytes = { ...bytes };
  offsets.set(SCRATCH, 0);
  const isFixed = new Set(offsets.keys());
  for (const program of programs) {
    const intervals = lifetimes(program, capacity, isFixed);
    for (const region of REGIONS) {
      const here = intervals.filter(({ buffer }) => buffer.region === region);
      bytes[region] = Math.max(bytes[region], pack(here, fixedBytes[region], offsets));
    }
  }
  const scratchStep = align(Math.max(MIN_SCRATCH_BYTES, ...programs.map((program) => scratchBytes(program, capacity))));
  bytes.scratch = scratchStep * lanes;

  let address = ARENA_BASE;
  const regions = {} as Record<Region, { address: number; bytes: number }>;
  for (const region of REGIONS) {
    regions[region] = { address, bytes: bytes[region] };
    address += bytes[region];
  }
  const addressOf = (buffer: BufferRef): number => {
    if (buffer.within) return addressOf(buffer.within.block) + buffer.within.offset * 4;
    return regions[buffer.region].address + (offsets.get(buffer) as number);
  };
  return { capacity, regions, scratchStep, end: address + SPARE, address: addressOf };
}

interface Interval {
  readonly buffer: BufferRef;
  readonly bytes: number;
  readonly first: number;
  last: number;
}

/** From which step to which a program needs each of its own buffers. */
function lifetimes(program: Program, capacity: number, isFixed: { has(buffer: BufferRef): boolean }): Interval[] {
  const intervals = new Map<BufferRef, Interval>();
  const touch = (part: BufferRef, step: number) => {
    const buffer = part.within?.block ?? part;
    if (isFixed.has(buffer)) return;
    const known = intervals.get(buffer);
    const bytes = align((buffer.perRow ? capacity : 1) * buffer.stride * 4);
    if (known) known.last = step;
    else intervals.set(buffer, { buffer, bytes, first: step, last: step });
  };
  for (const buffer of program.inputs) touch(buffer, -1);
  [...program.steps, ...(program.commits ?? [])].forEach((step, i) => {
    for (const arg of step.args) if (isBuffer(arg)) touch(arg, i);
  });
  for (const buffer of program.outputs) touch(buffer, program.steps.length);
  return [...intervals.values()];
}

/** First fit: each buffer at the lowest offset where no buffer that lives at the same time lies. The end of all.
 *  Shapes: intervals in the order of their first steps. */
export function pack(intervals: readonly Interval[], start: number, offsets: Map<BufferRef, number>): number {
  const byEnd = [...intervals].sort((a, b) => a.last - b.last);
  const gaps = [{ start, end: Number.POSITIVE_INFINITY }];
  let dead = 0;
  let end = start;
  for (const { buffer, bytes, first } of intervals) {
    for (; byEnd[dead].last < first; dead++) {
      const from = offsets.get(byEnd[dead].buffer) as number;
      release(gaps, from, from + byEnd[dead].bytes);
    }
    const gap = gaps.find((gap) => gap.end - gap.start >= bytes) as (typeof gaps)[0];
    offsets.set(buffer, gap.start);
    gap.start += bytes;
    end = Math.max(end, gap.start);
  }
  return end;
}

/** Gaps stay in order, and neighbours become one. */
function release(gaps: { start: number; end: number }[], start: number, end: number): void {
  const next = gaps.findIndex((gap) => gap.start >= end);
  const before = gaps[next - 1];
  if (before?.end === start) {
    before.end = end;
    if (gaps[next].start === end) gaps.splice(next - 1, 2, { start: before.start, end: gaps[next].end });
  } else if (gaps[next].start === end) gaps[next].start = start;
  else gaps.splice(next, 0, { start, end });
}

function scratchBytes(program: Program, capacity: number): number {
  let bytes = 0;
  for (const step of program.steps) {
    if (!step.kernel.startsWith("sgemm")) continue;
    const [m, n, k] = step.args.map((arg) => atCapacity(arg, capacity)) as [number, number, number];
    bytes = Math.max(bytes, step.kernel === "sgemm_packed" ? packedScratchBytes(m, k) : gemmScratchBytes(m, n, k));
  }
  return bytes;
}

function atCapacity(arg: Arg, capacity: number): number {
  if (typeof arg === "number") return arg;
  return "times" in arg ? arg.times * capacity : 0;
}

export function isBuffer(arg: Arg): arg is BufferRef {
  return typeof arg === "object" && "region" in arg;
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGN) * ALIGN;
}
