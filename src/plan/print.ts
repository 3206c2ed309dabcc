// Plans, memory and layers as people read them.
import type { Arg, Region, Step } from "../contract.ts";
import { activationName, activationOf } from "../layers/activations.ts";
import { isBuffer, type Placement, REGIONS } from "./arena.ts";
import type { Plan } from "./compile.ts";
import type { Layout, PlannedLayer } from "./layout.ts";

/** Bytes of a model's memory. Units: bytes. */
export interface MemoryReport {
  /** The whole memory that the model asks for. */
  readonly total: number;
  /** What they are for: parameters, gradients, activations and so on. `total` is more: whole pages of 64 KiB, the kernels'
   *  tables among them. */
  readonly regions: Readonly<Record<Region, number>>;
  /** Rows that activations are planned for. */
  readonly maxBatch: number;
  /** A table. */
  toString(): string;
}

/** One kernel call. */
export interface PlanStep {
  /** The layer's index, or the part of the plan. */
  readonly owner: string;
  readonly kernel: string;
  /** The buffer that is written. */
  readonly writes: string;
  readonly args: readonly string[];
}

/** The compiled lists: which kernels run, in which order, on what. */
export interface PlanReport {
  readonly lists: Readonly<Record<string, readonly PlanStep[]>>;
  /** A table. */
  toString(): string;
}

export function memoryReport(placement: Placement): MemoryReport {
  const { capacity: maxBatch, end } = placement;
  const regions = Object.fromEntries(REGIONS.map((region) => [region, placement.regions[region].bytes]));
  const total = Math.ceil(end / 65536) * 65536;
  const rows = [...Object.entries(regions), ["total (whole pages of 64 KiB, kernel tables included)", total]] as [
    string,
    number,
  ][];
  return {
    total,
    regions: regions as Record<Region, number>,
    maxBatch,
    toString: () => table([["region", "bytes"], ...rows.map(([name, bytes]) => [name, bytes.toLocaleString("en-US")])]),
  };
}

export function planReport(plan: Plan): PlanReport {
  const lists = Object.fromEntries(plan.programs.map(({ name, steps }) => [name, steps.map(planStep)]));
  return {
    lists,
    toString: () =>
      Object.entries(lists)
        .map(([name, steps]) => `${name}\n${table([HEADER, ...steps.map(stepRow)])}`)
        .join("\n\n"),
  };
}

const HEADER = ["layer", "writes", "kernel", "arguments"];

function stepRow({ owner, writes, kernel, args }: PlanStep): string[] {
  return [owner, writes, kernel, args.join(", ")];
}

function planStep({ owner, kernel, writes, args }: Step): PlanStep {
  return { owner, kernel, writes: writes.name, args: args.map(showArg) };
}

function showArg(arg: Arg): string {
  if (typeof arg === "number") return String(Number(arg.toPrecision(6)));
  if (isBuffer(arg) || "name" in arg) return arg.name;
  return arg.times === 1 ? "rows" : `rows*${arg.times}`;
}

/** Layers, their outputs, parameter counts and what is frozen. */
export function summary({ spec, planned, parameters, parameterCount }: Layout, learningRate: number): string {
  const row = (layer: PlannedLayer): string[] => {
    const own = parameters.filter(({ ref }) => layer.parameters.includes(ref));
    const count = own.reduce((sum, { ref }) => sum + ref.columns, 0);
    const { spec } = layer;
    const activation = activationOf(spec);
    const detail = activation ? activationName(activation) : spec.kind === "dropout" && spec.rate;
    const kind = detail === false ? spec.kind : `${spec.kind} (${detail})`;
    const shapes = own
      .map(({ name, shape, trainable }) => `${name} [${shape.join(", ")}]${trainable ? "" : " frozen"}`)
      .join(" ");
    return [layer.name, kind, String(layer.units), count.toLocaleString("en-US"), shapes];
  };
  // Layers within a layer stand below it.
  const rowsOf = (layer: PlannedLayer): string[][] => [row(layer), ...layer.chains.flat().flatMap(rowsOf)];
  const loss = spec.loss?.kind ?? "none";
  const optimizer = spec.optimizer ? `${spec.optimizer.kind}, learning rate ${learningRate}` : "none";
  return [
    table([["layer", "kind", "outputs", "parameters", ""], ...planned.flatMap(rowsOf)]),
    `input ${spec.input}, ${parameterCount.toLocaleString("en-US")} parameters, seed ${spec.seed}`,
    `loss ${loss}, optimizer ${optimizer}`,
  ].join("\n");
}

/** Columns of equal width; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, j) => Math.max(...rows.map((row) => row[j].length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, j) => cell.padEnd(widths[j]))
      .join("  ")
      .trimEnd();
  const [head, ...body] = rows;
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...body.map(line)].join("\n");
}
