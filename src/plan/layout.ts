// What a spec comes to before any step: layers with their sizes, parameters in one flat block, moments beside it.
import type {
  AnyLayer,
  BufferRef,
  BufferShape,
  IndexColumn,
  LayerRule,
  LayerRules,
  ParameterShape,
  UpdateBlocks,
} from "../contract.ts";
import type { Initializer } from "../initializers.ts";
import type { Layer, LayerSpec } from "../layers/nested.ts";
import { layerRule, normalizeChain } from "../layers/rule.ts";
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
  layers: readonly Layer[];
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
  return { input, layers: normalizeChain("sequential", config.layers, known) as readonly LayerSpec[] };
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

/** Running statistics, e.g. "1.runningMean". */
export interface BufferPlan extends BufferShape {
  readonly shape: readonly number[];
  readonly ref: BufferRef;
}

export interface PlannedLayer {
  /** Its index in the spec; of a layer within another the path, e.g. "2.0". */
  readonly name: string;
  readonly spec: LayerSpec;
  readonly units: number;
  /** Its number among all layers, those within others too. */
  readonly index: number;
  readonly parameters: readonly BufferRef[];
  readonly buffers: readonly BufferRef[];
  /** The lists of layers within it. */
  readonly chains: readonly (readonly PlannedLayer[])[];
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
  /** Whether steps run JavaScript. */
  readonly hosted: boolean;
  /** Rows that a training batch has at least. */
  readonly minRows: number;
  readonly buffers: readonly BufferPlan[];
  /** The columns of x that hold indices. */
  readonly indices: readonly IndexColumn[];
  readonly parameters: readonly ParameterPlan[];
  readonly parameterCount: number;
  readonly momentNames: readonly string[];
  /** Flat and of the same layout: all parameters, all gradients, each moment; and all buffers. */
  readonly blocks: {
    readonly parameters: BufferRef;
    readonly buffers: BufferRef;
    readonly gradients: BufferRef;
    readonly moments: readonly BufferRef[];
  };
  /** Of the parameters that train. */
  readonly gradientOf: ReadonlyMap<BufferRef, BufferRef>;
  /** f64[2]: sum of weighted losses and sum of weights, as loss kernels write them. */
  readonly sums: BufferRef;
  /** f64[5] behind them: where the sums of several calls go on. */
  readonly running: BufferRef;
  /** Every buffer that the batch does not size, in the order of their addresses. */
  readonly fixed: readonly BufferRef[];
}

/** Without `momentNames` the layout of a network that only predicts. */
export function layOut(spec: NetworkSpec, momentNames?: readonly string[]): Layout {
  const inference = momentNames === undefined;
  const indices: IndexColumn[] = [];
  const measured = measure(spec.layers, spec.input, "", indices);
  const parameterCount = total(measured, (layer) => layer.parameters.map(({ shape }) => size(shape)));
  const bufferCount = total(measured, (layer) => layer.buffers.map(({ length }) => length));
  const block = (name: string, region: BufferRef["region"]) => fixedBuffer(name, region, parameterCount);
  const blocks = {
    parameters: block("parameters", "parameters"),
    buffers: fixedBuffer("buffers", "buffers", bufferCount),
    gradients: inference ? fixedBuffer("gradients", "gradients", 0) : block("gradients", "gradients"),
    moments: (momentNames ?? []).map((name) => block(name, "moments")),
  };
  const { planned, rules, parameters, buffers, gradientOf } = allot(measured, blocks, inference);
  const sums = fixedBuffer("sums", "inputOutput", 14);
  return {
    spec,
    inference,
    planned,
    outputs: planned.at(-1)?.units ?? spec.input,
    modal: rules.some((rule) => rule.modal),
    hosted: rules.some((rule) => rule.hosted),
    minRows: rules.reduce((rows, rule) => Math.max(rows, rule.minRows ?? 0), 0),
    parameters,
    parameterCount,
    buffers,
    indices,
    momentNames: momentNames ?? [],
    blocks,
    gradientOf,
    sums,
    running: part("running", sums, 4, 10),
    fixed: [blocks.parameters, blocks.buffers, blocks.gradients, ...blocks.moments, sums],
  };
}

/** Gives each layer's parameters, gradients and buffers their places in the blocks, in the order of the layers. */
function allot(measured: readonly MeasuredLayer[], blocks: Layout["blocks"], inference: boolean) {
  const parameters: ParameterPlan[] = [];
  const buffers: BufferPlan[] = [];
  const rules: LayerRule<AnyLayer>[] = [];
  const gradientOf = new Map<BufferRef, BufferRef>();
  let [offset, bufferOffset] = [0, 0];
  const planLayer = (layer: MeasuredLayer): PlannedLayer => {
    const index = rules.push(layerRule(layer.spec)) - 1;
    const refs = layer.parameters.map(({ name, shape, init, trainable }) => {
      const full = `${layer.name}.${name}`;
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
    const ownBuffers = layer.buffers.map((shape) => {
      const name = `${layer.name}.${shape.name}`;
      const ref = part(name, blocks.buffers, bufferOffset, shape.length);
      buffers.push({ ...shape, name, shape: [shape.length], ref });
      bufferOffset += shape.length;
      return ref;
    });
    const chains = layer.chains.map((chain) => chain.map(planLayer));
    return { ...layer, index, parameters: refs, buffers: ownBuffers, chains };
  };
  return { planned: measured.map(planLayer), rules, parameters, buffers, gradientOf };
}

/** A layer with its sizes, before anything has a place. */
interface MeasuredLayer extends Pick<PlannedLayer, "name" | "spec" | "units"> {
  readonly parameters: readonly ParameterShape[];
  readonly buffers: readonly BufferShape[];
  readonly chains: readonly (readonly MeasuredLayer[])[];
}

/** Layers after each other, those within them too; `path` comes before their names. Adds to `indices`. Errors: CONFIG. */
function measure(
  layers: readonly AnyLayer[],
  input: number,
  path: string,
  indices: IndexColumn[],
): readonly MeasuredLayer[] {
  let inputs = input;
  return join(layers, path).map(({ name, layer }, i) => {
    const rule = layerRule(layer);
    if (rule.indices) indices.push(rule.indices(layer, path === "" ? layers.slice(0, i) : undefined));
    const chains = (rule.chains?.(layer) ?? []).map((chain) =>
      measure(chain.layers, inputs, `${name}.${chain.path}`, indices),
    );
    const from = inputs;
    inputs = rule.units(
      layer,
      from,
      chains.map((chain) => chain.at(-1)?.units ?? from),
    );
    return {
      name,
      spec: layer as LayerSpec,
      units: inputs,
      parameters: rule.parameters(layer, from),
      buffers: rule.buffers?.(layer, from) ?? [],
      chains,
    };
  });
}

function total(layers: readonly MeasuredLayer[], lengths: (layer: MeasuredLayer) => readonly number[]): number {
  return layers.reduce(
    (sum, layer) =>
      [...lengths(layer), ...layer.chains.map((chain) => total(chain, lengths))].reduce((a, b) => a + b, sum),
    0,
  );
}

function join(layers: readonly AnyLayer[], path: string): { name: string; layer: AnyLayer }[] {
  const joined: { name: string; layer: AnyLayer }[] = [];
  (layers as readonly LayerSpec[]).forEach((layer, i) => {
    const last = joined.at(-1);
    const before = last?.layer as LayerSpec | undefined;
    if (last && layer.kind === "activation" && before?.kind === "dense" && before.activation === "linear") {
      last.layer = { ...before, activation: layer.activation } as LayerSpec;
    } else {
      joined.push({ name: `${path}${i}`, layer });
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
