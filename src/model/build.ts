// From a config or a file to a model: checks what belongs to the run, compiles, binds.
import type { LayerRules } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import { basicLayers } from "../layers/basic.ts";
import type { CustomLayer } from "../layers/define.ts";
import { layerRule } from "../layers/rule.ts";
import { checkBoolean, checkCount, checkKeys, checkName, orDefault } from "../options.ts";
import { place } from "../plan/arena.ts";
import { compile, type Plan } from "../plan/compile.ts";
import { type NetworkConfig, type NetworkSpec, normalizeNetwork } from "../plan/layout.ts";
import { type MemoryReport, memoryReport } from "../plan/print.ts";
import { MAX_LANES } from "../runtime/barrier.ts";
import type { LaneWorker } from "../runtime/lanes.ts";
import { type ModuleSource, SIMD_MODES, type Simd } from "../runtime/module.ts";
import { Engine, type EngineOptions, type Threading } from "./engine.ts";
import { inFile } from "./file.ts";
import { capacityOf } from "./file-memory.ts";
import { Model } from "./model.ts";
import type { Progress } from "./progress.ts";
import { readModel, restoreModel } from "./read-model.ts";

/** What belongs to the run and not to the network. */
export interface RunOptions {
  /** `"strict"`, the default: the same bits on every engine. `"relaxed"`: quicker, its bits not promised, RUNTIME
   *  where the engine lacks it. `"auto"`: relaxed where it is. */
  simd?: Simd | undefined;
  /** Lanes that a step is split over, over worker threads; the bits are those of one. Small steps stay on one lane.
   *  Default 1. */
  threads?: number | undefined;
  /** Makes a worker that runs `simdgrad/lane`, where none may be started from a blob (a content security policy):
   *  `() => new Worker(new URL("simdgrad/lane", import.meta.url))` with webpack and Vite. */
  worker?: (() => LaneWorker) | undefined;
  /** Rows that activations are planned for; larger training batches plan anew. Default 256. */
  maxBatch?: number | undefined;
  /** Layers of one's own, made by `defineLayer`, that plain data or the file may hold. */
  custom?: readonly CustomLayer<never>[] | undefined;
}

/** Options of `load`. */
export interface LoadOptions extends RunOptions {
  /** Only predict and evaluate: no room for gradients, moments and kept activations. Default false. */
  inference?: boolean | undefined;
}

/** What `sequential` takes. */
export interface SequentialConfig extends NetworkConfig, RunOptions {}

const RUN_KEYS = ["simd", "threads", "worker", "maxBatch", "custom"];
const CONFIG_KEYS = ["input", "layers", "loss", "optimizer", "metrics", "seed", ...RUN_KEYS];

/** What an entry brings: the kernels, and lanes where there can be any. */
export interface Parts {
  readonly modules: ModuleSource;
  readonly threading?: Threading;
}

interface CheckedRun {
  readonly simd: Simd;
  readonly custom: LayerRules;
  readonly run: EngineOptions;
}

interface CheckedConfig extends CheckedRun {
  readonly spec: NetworkSpec;
}

function checkConfig(where: string, config: SequentialConfig, threading?: Threading): CheckedConfig {
  checkKeys(where, config, CONFIG_KEYS);
  const checked = checkRun(where, config, threading);
  return { ...checked, spec: normalizeNetwork(config, { ...basicLayers, ...checked.custom }) };
}

function checkRun(where: string, options: RunOptions, threading: Threading | undefined): CheckedRun {
  const { simd = "strict", threads = 1, worker, maxBatch = 256 } = options;
  checkName(where, "simd", simd, SIMD_MODES);
  if (checkCount(where, "threads", threads) > MAX_LANES) {
    throw new SimdgradError("CONFIG", `${where}: expected at most ${MAX_LANES} threads, received ${threads}.`);
  }
  if (threads > 1) threading?.check(where, threads);
  if (worker !== undefined && typeof worker !== "function") {
    throw new SimdgradError("CONFIG", `${where}: expected worker to be a function, received ${show(worker)}.`);
  }
  const capacity = checkCount(where, "maxBatch", maxBatch);
  const custom = checkCustom(where, orDefault(options.custom, []));
  return { simd, custom, run: { capacity, threads, worker, threading } };
}

/** The rules of layers of one's own. Errors: CONFIG. */
function checkCustom(where: string, custom: readonly CustomLayer<never>[]): LayerRules {
  if (!Array.isArray(custom)) {
    throw new SimdgradError("CONFIG", `${where}: expected custom to be an array, received ${show(custom)}.`);
  }
  const rules = Array.from(custom, (layer: CustomLayer<never>, i) => {
    if (typeof layer === "function" && layer.kind) return [layer.kind, layerRule(layer, {}, `${where}, custom`)];
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected custom to hold what defineLayer gave, received ${show(layer)} at ${i}.`,
      "Pass the function itself, e.g. custom: [scale].",
    );
  });
  return Object.fromEntries(rules);
}

/** Errors: CONFIG where layers run JavaScript, which only one lane has. */
function checkHosted(where: string, { hosted }: Plan, threads: number): void {
  if (!hosted || threads === 1) return;
  throw new SimdgradError("CONFIG", `${where}: expected threads: 1 with layers of one's own, received ${threads}.`);
}

/** Bytes by region that a model of this config takes, before it is built. Errors: CONFIG. */
export function planMemory(config: SequentialConfig): MemoryReport {
  const { spec, run } = checkConfig("planMemory", config);
  const plan = compile(spec);
  checkHosted("planMemory", plan, run.threads);
  return memoryReport(place(plan.fixed, plan.programs, run.capacity, run.threads));
}

/** Builds a model and initializes its parameters. Errors: CONFIG, MEMORY, RUNTIME. */
export function createModel(config: SequentialConfig, { modules, threading }: Parts): Model {
  const { spec, simd, run } = checkConfig("sequential", config, threading);
  const plan = compile(spec);
  checkHosted("sequential", plan, run.threads);
  const engine = new Engine("sequential", plan, modules(simd, run.threads > 1), run);
  engine.list(engine.plan.initialize.steps).run(1);
  // Zeros as they are; but the first step reads them before it writes them, and pages read first are mapped twice.
  for (const block of engine.plan.blocks.moments) engine.view(block).fill(0);
  return new Model(engine);
}

/** Builds the model of a file, with the state that is in it. Errors: FORMAT, CONFIG, MEMORY, RUNTIME. */
export function loadModel(bytes: Uint8Array, options: LoadOptions, { modules, threading }: Parts): Model {
  checkKeys("load", options, [...RUN_KEYS, "inference"]);
  const { simd, custom, run } = checkRun("load", options, threading);
  const inference = checkBoolean("load", "inference", orDefault(options.inference, false));
  const file = readModel(bytes, custom);
  const module = modules(simd, run.threads > 1);
  const progress: Progress = { epoch: 0, run: undefined };
  const plan = inFile("spec", () => compile(file.spec, inference));
  checkHosted("load", plan, run.threads);
  const engine = new Engine("load", plan, module, { ...run, capacity: capacityOf(plan, run.capacity, bytes.length) });
  restoreModel(engine, progress, inference ? { ...file, state: undefined } : file);
  return new Model(engine, progress, file.metadata);
}
