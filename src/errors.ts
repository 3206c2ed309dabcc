// The one error class of the package. Every message says what was expected, what came and where; the hint says what to do.

/** SHAPE: lengths and ragged rows. DATA: values. CONFIG: options and states. FORMAT: files. NUMERIC: training diverged.
 *  MEMORY: does not fit. RUNTIME: the engine lacks something. */
export type ErrorCode = "SHAPE" | "DATA" | "CONFIG" | "FORMAT" | "NUMERIC" | "MEMORY" | "RUNTIME";

/** What to do where an error says nothing of its own. */
export const HINTS: Readonly<Record<ErrorCode, string>> = {
  SHAPE: "Rows are of one length, as arrays or flat and row-major; what goes with x has as many.",
  DATA: "Pass what is expected.",
  CONFIG: "Pass what is expected, or leave an option out where it has a default.",
  FORMAT: "The file is damaged, or another version wrote it.",
  NUMERIC: "The learning rate is probably too high: try a tenth of it.",
  MEMORY: "Use smaller layers or a smaller maxBatch; planMemory(config) tells the size before building.",
  RUNTIME: 'simd: "strict" and threads: 1 ask the least of an engine.',
};

/** The same for all copies of the package in a process, such as its modules and its CommonJS files. */
const BRAND = Symbol.for("simdgrad.error");

/** What the package throws: its message says what was expected, what came and where. */
export class SimdgradError extends Error {
  /** Also of what another copy of the package threw. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a class derived from it has only its own instances.
    return Object.hasOwn(this, Symbol.hasInstance) ? BRAND in Object(value) : super[Symbol.hasInstance](value);
  }

  override readonly name!: "SimdgradError";
  /** What is wrong, for programs. */
  readonly code: ErrorCode;
  /** What to do about it; also the message's last sentence. */
  readonly hint: string;

  constructor(code: ErrorCode, message: string, hint: string = HINTS[code], options?: ErrorOptions) {
    super(`${message} ${hint}`, options);
    // No assignment, which a frozen Error.prototype forbids.
    Object.defineProperty(this, "name", { value: "SimdgradError" });
    this.code = code;
    this.hint = hint;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** What happened, without what to do. */
export function withoutHint({ message, hint }: SimdgradError): string {
  return message.slice(0, -hint.length - 1);
}

/** The way messages show a value that came: short, however large it is, and whatever its getters do. Of objects within
 *  objects `levels`. */
export function show(value: unknown, levels = 2): string {
  try {
    const text = textOf(value, levels);
    return text.length > 80 ? `${text.slice(0, 80)}...` : text;
  } catch {
    return "an object";
  }
}

function textOf(value: unknown, levels: number): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const { then, length, byteLength, [Symbol.toStringTag]: name = value.constructor?.name } = value as Shown;
  if (ArrayBuffer.isView(value)) return `${name}(${length ?? byteLength})`;
  if (typeof then === "function") return `a ${name} (await it)`;
  if (name && name !== "Object") return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
  // More names than are shown.
  const names = Object.keys(value).slice(0, 16);
  return levels ? `{${names.map((key) => `${show(key)}:${show(value[key as never], levels - 1)}`)}}` : "{...}";
}

/** What tells an object's kind. */
type Shown = Partial<Record<"then" | "length" | "byteLength", unknown>> & {
  readonly [Symbol.toStringTag]?: string;
};
