// Layers of one's own: JavaScript functions between the kernels.
import type { AnyLayer, BufferRef, Builder, Emitted, LayerRule, ParameterShape } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import { type Initializer, normalizeInitializer } from "../initializers.ts";
import { checkBoolean, checkCount, checkKeys, checkObject, checkRequired, orDefault } from "../options.ts";
import { sealLayer } from "./rule.ts";

/** What a layer is made with: plain data, as it is kept in files. */
export type CustomOptions = Readonly<
  // biome-ignore lint/suspicious/noExplicitAny: whoever states no type for the options may use them as he likes.
  Record<string, any>
>;

/** A parameter of a layer of one's own. */
export interface CustomParameter {
  /** Letters and digits, e.g. "kernel". */
  name: string;
  /** Its sizes; values are flat, row-major. */
  shape: readonly number[];
  /** Default "zeros". */
  init?: Initializer | undefined;
}

/** A forward pass; the arrays are views of the model's memory, valid during the call. */
export interface CustomForward<O> {
  /** What the layer was made with. */
  readonly options: O;
  readonly rows: number;
  readonly inputs: number;
  readonly units: number;
  /** Whether this pass is one of a training. */
  readonly training: boolean;
  /** [rows, inputs], to be read. */
  readonly x: Float32Array;
  /** [rows, units], to be written whole; before, it holds anything. */
  readonly y: Float32Array;
  readonly parameters: Readonly<Record<string, Float32Array>>;
}

/** The way back of the last forward pass. */
export interface CustomBackward<O> extends CustomForward<O> {
  /** [rows, units], to be read, as y now is. */
  readonly dy: Float32Array;
  /** [rows, inputs], to be written whole. */
  readonly dx: Float32Array;
  /** Of each parameter: to be added to. */
  readonly gradients: Readonly<Record<string, Float32Array>>;
}

/** What `defineLayer` takes: a layer's sizes and its two passes. */
export interface LayerDefinition<O extends CustomOptions> {
  /** Its name in specs and files. */
  kind: string;
  /** How many outputs it has. */
  shape: (options: O, inputs: number) => number;
  /** Default: none. */
  parameters?: ((options: O, inputs: number) => readonly CustomParameter[]) | undefined;
  /** Writes y. */
  forward: (pass: CustomForward<O>) => void;
  /** Writes dx, adds to the gradients. */
  backward: (pass: CustomBackward<O>) => void;
}

/** A kind that only a program knows which defined it. */
type CustomKind = string & { readonly custom: true };

/** A layer of one's own as data, its options beside. */
export interface CustomSpec {
  readonly kind: CustomKind;
  /** false freezes its parameters. */
  readonly trainable: boolean;
}

/** Makes layers of a kind of one's own; goes into `custom` of `sequential` and `load`. */
export interface CustomLayer<O extends CustomOptions = CustomOptions> {
  (options?: O & { trainable?: boolean | undefined }): CustomSpec;
  readonly kind: string;
}

const BUILT_IN = ["dense", "activation", "dropout", "layer-norm", "batch-norm", "residual", "concat", "embedding"];
const KEYS = ["kind", "shape", "parameters", "forward", "backward"];

/** A layer of one's own: `forward` writes y, `backward` writes dx and adds to the parameters' gradients. It runs in
 *  JavaScript, so its plan takes no threads, and its bits are its own affair. Made layers are plain data, { kind,
 *  ...options }; whoever loads a file with them, or passes them as plain data, passes the definition as `custom`.
 *
 *      // Each feature times a factor that is learned: y = x * factor.
 *      const scale = defineLayer({
 *        kind: "scale",
 *        shape: (options, inputs) => inputs,
 *        parameters: ({ start = 1 }, inputs) => [
 *          { name: "factor", shape: [inputs], init: { kind: "constant", value: start } },
 *        ],
 *        forward({ x, y, inputs, parameters: { factor } }) {
 *          for (let i = 0; i < x.length; i++) y[i] = x[i] * factor[i % inputs];
 *        },
 *        backward({ x, dy, dx, inputs, parameters: { factor }, gradients }) {
 *          for (let i = 0; i < x.length; i++) {
 *            dx[i] = dy[i] * factor[i % inputs];
 *            gradients.factor[i % inputs] += dy[i] * x[i];
 *          }
 *        },
 *      });
 *
 *      const layers = [scale({ start: 0.5 }), dense(1)];
 *      const model = sequential({ input: 2, layers, loss: "mean-squared-error", optimizer: adam() });
 *      model.trainBatch([[1, 2], [3, 4]], [1, 2]);
 *      const same = load(model.save(), { custom: [scale] });
 *
 *  Errors: CONFIG. */
export function defineLayer<O extends CustomOptions = CustomOptions>(definition: LayerDefinition<O>): CustomLayer<O> {
  checkDefinition(definition);
  const kind = definition.kind as CustomKind;
  const rule = ruleOf(definition);
  const make = (options: CustomOptions = {}) => {
    checkObject(kind, options);
    return rule.normalize({ trainable: true, ...options, kind } as CustomSpec);
  };
  return sealLayer(Object.assign(make, { kind }), rule as LayerRule<AnyLayer>) as CustomLayer<O>;
}

function checkDefinition(definition: LayerDefinition<never>): void {
  checkKeys("defineLayer", orDefault(definition as object, {}), KEYS);
  checkRequired("defineLayer", orDefault(definition as object, {}), ["kind", "shape", "forward", "backward"]);
  const { kind, parameters = () => [], ...functions } = definition;
  if (typeof kind !== "string" || kind === "" || BUILT_IN.includes(kind)) {
    throw new SimdgradError(
      "CONFIG",
      `defineLayer: expected kind to be a name of its own, received ${show(kind)}.`,
      `Taken: ${BUILT_IN.join(", ")}.`,
    );
  }
  const { shape, forward, backward } = functions;
  for (const [name, value] of Object.entries({ shape, parameters, forward, backward })) {
    if (typeof value === "function") continue;
    throw new SimdgradError("CONFIG", `defineLayer: expected ${name} to be a function, received ${show(value)}.`);
  }
}

function ruleOf<O extends CustomOptions>(definition: LayerDefinition<O>): LayerRule<CustomSpec> {
  const kind = definition.kind as CustomKind;
  const rule: LayerRule<CustomSpec> = {
    modal: true,
    hosted: true,
    normalize(spec) {
      const { trainable = true } = checkObject(kind, spec);
      const options = Object.entries(optionsOf(spec)).map(([key, value]) => [
        key,
        plainCopy(`${kind}, option ${key}`, value),
      ]);
      const checked = { kind, ...Object.fromEntries(options), trainable: checkBoolean(kind, "trainable", trainable) };
      return sealLayer<CustomSpec>(checked, rule);
    },
    units: (spec, inputs) => unitsOf(definition, spec, inputs),
    parameters: (spec, inputs) =>
      parametersOf(definition, spec, inputs).map((parameter) => checkParameter(kind, parameter, spec.trainable)),
    emit: (spec, b, x, parameters) => emit(definition, spec, b, x, parameters),
  };
  return rule;
}

function optionsOf<O extends CustomOptions>({ kind: _, trainable: __, ...options }: CustomSpec): O {
  return options as unknown as O;
}

/** Errors: CONFIG. */
function unitsOf<O extends CustomOptions>(definition: LayerDefinition<O>, spec: CustomSpec, inputs: number): number {
  return checkCount(definition.kind, "the result of shape", definition.shape(optionsOf(spec), inputs));
}

/** Errors: CONFIG. */
function parametersOf<O extends CustomOptions>(
  definition: LayerDefinition<O>,
  spec: CustomSpec,
  inputs: number,
): readonly CustomParameter[] {
  const parameters: unknown = orDefault(definition.parameters?.(optionsOf(spec), inputs), []);
  if (Array.isArray(parameters)) return Array.from(parameters);
  throw new SimdgradError(
    "CONFIG",
    `${definition.kind}: expected parameters to give an array, received ${show(parameters)}.`,
  );
}

/** The two passes as steps of a plan. */
function emit<O extends CustomOptions>(
  definition: LayerDefinition<O>,
  spec: CustomSpec,
  b: Builder,
  x: BufferRef,
  parameters: readonly BufferRef[],
): Emitted {
  const [inputs, units] = [x.columns, unitsOf(definition, spec, x.columns)];
  const sizes = { options: optionsOf<O>(spec), inputs, units };
  const names = parametersOf(definition, spec, inputs).map(({ name }) => name);
  const named = (arrays: readonly Float32Array[]) => Object.fromEntries(names.map((name, i) => [name, arrays[i]]));
  const from = dense(b, x);
  b.keep(from);
  const to = b.buffer(units, false);
  const { training } = b;
  b.host([to, from, ...parameters], (rows, y, x, ...values) => {
    definition.forward({ ...sizes, rows, training, x, y, parameters: named(values) });
  });
  b.keep(to);
  return {
    output: padded(b, to),
    backward: (b, dy) => {
      const dTo = dense(b, dy);
      const dFrom = b.buffer(inputs, false);
      // Those of frozen parameters go nowhere.
      const gradients = parameters.map((parameter) => b.gradient(parameter) ?? b.vector(parameter.columns));
      for (const [i, gradient] of gradients.entries()) {
        const kept = b.accumulate && b.gradient(parameters[i]);
        if (!kept) b.call(gradient, "fill", gradient.columns, gradient, 0);
      }
      b.host([dFrom, dTo, to, from, ...parameters, ...gradients], (rows, dx, dy, y, x, ...rest) => {
        const pass = { ...sizes, rows, training, x, y, parameters: named(rest) };
        definition.backward({ ...pass, dy, dx, gradients: named(rest.slice(names.length)) });
      });
      return padded(b, dFrom);
    },
  };
}

function checkParameter(kind: string, parameter: CustomParameter, trainable: boolean): ParameterShape {
  const { name, shape, init = "zeros" } = checkObject(`${kind}, parameter`, parameter);
  const at = `${kind}, parameter ${show(name)}`;
  checkKeys(at, parameter, ["name", "shape", "init"]);
  if (typeof name !== "string" || !/^\w+$/.test(name) || !Array.isArray(shape) || shape.length === 0) {
    throw new SimdgradError(
      "CONFIG",
      `${at}: expected a name of letters and digits, and a shape, received ${show(shape)}.`,
    );
  }
  for (const size of shape) checkCount(at, "its sizes", size);
  return { name, shape, init: normalizeInitializer(at, "init", init), trainable };
}

/** Levels of options within options, which a file's text has to hold too; more are mostly one that holds itself. */
const MAX_DEPTH = 32;

/** A deep frozen copy of what JSON keeps as it is. Errors: CONFIG for anything else. */
function plainCopy(where: string, value: unknown, depth = 0): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return value;
  const copy = (each: unknown) => plainCopy(where, each, depth + 1);
  if (Array.isArray(value) && depth < MAX_DEPTH) return Object.freeze(Array.from(value, copy));
  if (typeof value === "object" && depth < MAX_DEPTH && Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value as object).map(([key, each]) => [key, copy(each)]);
    return Object.freeze(Object.fromEntries(entries));
  }
  throw new SimdgradError(
    "CONFIG",
    `${where}: expected plain data that JSON keeps, received ${show(value)}.`,
    "Options are kept in the file; functions belong into the definition.",
  );
}

/** The same rows without room between them. */
function dense(b: Builder, x: BufferRef): BufferRef {
  return x.stride === x.columns ? x : copy(b, x, b.buffer(x.columns, false));
}

/** The same rows as other layers have them. */
function padded(b: Builder, x: BufferRef): BufferRef {
  return x.stride % 4 === 0 ? x : copy(b, x, b.buffer(x.columns));
}

function copy(b: Builder, x: BufferRef, to: BufferRef): BufferRef {
  b.call(to, "copy_matrix", b.rows, x.columns, x, x.stride, to, to.stride);
  return to;
}
