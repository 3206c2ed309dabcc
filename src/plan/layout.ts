// What a spec comes to before any step: layers with their sizes, parameters in one flat block, moments beside it.
import type { BufferRef, LayerParts, LayerRules, UpdateBlocks } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import type { Initializer } from "../initializers.ts";
import type { LayerSpec } from "../layers/index.ts";
import { layerRule } from "../layers/rule.ts";
import { type Loss, type LossSpec, normalizeLoss } from "../losses/index.ts";
import { type Metric, type MetricName, normalizeMetrics } from "../metrics.ts";
import { normalizeOptimizer, type OptimizerSpec, optimizerRule } from "../optimizers/index.ts";
import { checkCount } from "../options.ts";
import { fixedBuffer } from "./builder.ts";

/** A network as data: what a file keeps. */
export interface NetworkSpec {
  readonly input: number;
  readonly layers: readonly LayerSpec[];
  readonly loss?: LossSpec;
  readonly optimizer?: OptimizerSpec;
  readonly metrics?: readonly MetricName[];
  readonly seed: number;
}

/** A network as a user writes it. */
export interface NetworkConfig {
  /** Features per sample. */
  input: number;
  /** First to last. */
  layers: readonly LayerSpec[];
  /** Without it the model does not train by itself. */
  loss?: Loss | undefined;
  /** Without it weights stay. */
  optimizer?: OptimizerSpec | undefined;
  /** What reports and evaluate tell beside loss and accuracy. */
  metrics?: readonly Metric[] | undefined;
  /** Key of all random numbers. Default 0. */
  seed?: number | undefined;
}

/** `known`: the kinds that layers given as plain data may be of. Errors: CONFIG. */
export function normalizeNetwork(config: NetworkConfig, known?: LayerRules): NetworkSpec {
  const { loss, optimizer, metrics = [], seed = 0 } = config;
  const names = normalizeMetrics(metrics);
  return Object.freeze({
    ...normalizeLayers(config, known),
    ...(loss === undefined ? {} : { loss: normalizeLoss(loss) }),
    ...(optimizer === undefined ? {} : { optimizer: normalizeOptimizer(optimizer) }),
    ...(names.length > 0 ? { metrics: names } : {}),
    seed: checkCount("sequential", "seed", seed, 0),
  });
}

/** The part of a network that predicts. Errors: CONFIG. */
export function normalizeLayers(
  config: Pick<NetworkConfig, "input" | "layers">,
  known?: LayerRules,
): Pick<NetworkSpec, "input" | "layers"> {
  const input = checkCount("sequential", "input", config.input);
  if (!Array.isArray(config.layers) || config.layers.length === 0) {
    throw new SimdgradError(
      "CONFIG",
      `sequential: expected layers to be an array of at least one layer, received ${show(config.layers)}.`,
    );
  }
  // Array.from sees the holes that map would skip.
  const layers = Array.from(config.layers, (layer) => layerRule(layer, known).normalize(layer, known));
  return {
    input,
    layers: Object.freeze(
      layers.map((layer, i) => (layerRule(layer).resolve?.(layer, layers[i + 1]) ?? layer) as LayerSpec),
    ),
  };
}

/** What the optimizer keeps for each parameter. */
export function momentsOf({ optimizer }: NetworkSpec): readonly string[] {
  return optimizer ? optimizerRule(optimizer).moments(optimizer) : [];
}

export interface ParameterPlan {
  /** The layer's index and the parameter's name, e.g. "0.kernel". */
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Initializer;
  readonly trainable: boolean;
  readonly ref: BufferRef;
  /** Stays 0 when the parameter is frozen. */
  readonly gradient: BufferRef;
}

export interface PlannedLayer {
  /** Its index in the spec. */
  readonly name: string;
  readonly spec: LayerSpec;
  readonly units: number;
  readonly parameters: readonly BufferRef[];
  readonly parts: LayerParts;
}

export interface Layout {
  readonly spec: NetworkSpec;
  /** Only predicts: no gradients, no moments, no training programs. */
  readonly inference: boolean;
  /** An activation layer right after a linear dense layer is joined to it. */
  readonly planned: readonly PlannedLayer[];
  readonly outputs: number;
  /** Whether training mode and inference mode are different steps. */
  readonly modal: boolean;
  readonly parameters: readonly ParameterPlan[];
  readonly parameterCount: number;
  readonly momentNames: readonly string[];
  /** Flat and of the same layout: all parameters, all gradients, each moment. */
  readonly blocks: {
    readonly parameters: BufferRef;
    readonly gradients: BufferRef;
    readonly moments: readonly BufferRef[];
  };
  /** Of the parameters that train. */
  readonly gradientOf: ReadonlyMap<BufferRef, BufferRef>;
  /** f64[2]: sum of weighted losses and sum of weights, as loss kernels write them. */
  readonly sums: BufferRef;
  /** Every buffer that the batch does not size, in the order of their addresses. */
  readonly fixed: readonly BufferRef[];
}

/** Without `momentNames` the layout of a network that only predicts. */
export function layOut(spec: NetworkSpec, momentNames?: readonly string[]): Layout {
  const inference = momentNames === undefined;
  const joined = join(spec.layers);
  let units = spec.input;
  const shapes = joined.map(({ name, layer }) => {
    const rule = layerRule(layer);
    const shapes = rule.parameters(layer, units);
    units = rule.units(layer, units);
    return { name, layer, units, shapes };
  });
  const parameterCount = shapes.reduce(
    (sum, layer) => sum + layer.shapes.reduce((n, { shape }) => n + size(shape), 0),
    0,
  );
  const block = (name: string, region: BufferRef["region"]) => fixedBuffer(name, region, parameterCount);
  const blocks = {
    parameters: block("parameters", "parameters"),
    gradients: inference ? fixedBuffer("gradients", "gradients", 0) : block("gradients", "gradients"),
    moments: (momentNames ?? []).map((name) => block(name, "moments")),
  };

  const parameters: ParameterPlan[] = [];
  const gradientOf = new Map<BufferRef, BufferRef>();
  let offset = 0;
  const planned = shapes.map(({ name: layer, layer: spec, units, shapes }, index): PlannedLayer => {
    const refs = shapes.map(({ name, shape, init, trainable }) => {
      const full = `${layer}.${name}`;
      const ref = part(full, blocks.parameters, offset, size(shape));
      const gradient = part(`d${full}`, blocks.gradients, offset, inference ? 0 : size(shape));
      if (trainable) gradientOf.set(ref, gradient);
      parameters.push({
        name: full,
        shape: Object.freeze([...shape]),
        init: init as Initializer,
        trainable,
        ref,
        gradient,
      });
      offset += size(shape);
      return ref;
    });
    return { name: layer, spec, units, parameters: refs, parts: { index } };
  });
  const sums = fixedBuffer("sums", "inputOutput", 4);
  return {
    spec,
    inference,
    planned,
    outputs: planned.at(-1)?.units ?? spec.input,
    modal: planned.some((layer) => layerRule(layer.spec).modal),
    parameters,
    parameterCount,
    momentNames: momentNames ?? [],
    blocks,
    gradientOf,
    sums,
    fixed: [blocks.parameters, blocks.gradients, ...blocks.moments, sums],
  };
}

function join(layers: readonly LayerSpec[]): { name: string; layer: LayerSpec }[] {
  const joined: { name: string; layer: LayerSpec }[] = [];
  layers.forEach((layer, i) => {
    const before = joined.at(-1);
    if (layer.kind === "activation" && before?.layer.kind === "dense" && before.layer.activation === "linear") {
      before.layer = { ...before.layer, activation: layer.activation };
    } else {
      joined.push({ name: String(i), layer });
    }
  });
  return joined;
}

/** Runs of neighbouring parameters that train: one, unless frozen layers lie between. */
export function trainableBlocks({ parameters, blocks }: Layout): UpdateBlocks[] {
  const runs: { start: number; end: number }[] = [];
  let end = 0;
  for (const { trainable, ref } of parameters) {
    const start = end;
    end += ref.columns;
    const last = runs.at(-1);
    if (!trainable) continue;
    if (last?.end === start) last.end = end;
    else runs.push({ start, end });
  }
  return runs.map(({ start, end }) => {
    const n = end - start;
    const of = (block: BufferRef) => part(block.name, block, start, n);
    return { n, parameters: of(blocks.parameters), gradients: of(blocks.gradients), moments: blocks.moments.map(of) };
  });
}

function part(name: string, block: BufferRef, offset: number, length: number): BufferRef {
  return { ...fixedBuffer(name, block.region, length), within: { block, offset } };
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
