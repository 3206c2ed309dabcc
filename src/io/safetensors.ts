// The safetensors format: a length, a JSON header, then the tensors' bytes. A file is not trusted: every number in its
// header is checked before it is used.
// Source: the format's description by Hugging Face; here floats of 32 and 16 bits, little-endian as WebAssembly is.
import { SimdgradError, show } from "../errors.ts";
import { fromBfloat, fromHalf } from "./half.ts";
import { parseJson } from "./json.ts";

export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** As it is to be written: 16-bit values are halves by their bits. */
export interface TensorToWrite extends Omit<Tensor, "values"> {
  readonly values: Float32Array | Uint16Array;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Units: bytes. */
const MAX_HEADER = 2 ** 25;
const METADATA = "__metadata__";

/** The same tensors and metadata give the same bytes. The header is padded so that tensors are 8-byte aligned. */
export function writeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { [METADATA]: metadata };
  let end = 0;
  for (const { name, shape, values } of tensors) {
    const start = end;
    end += values.byteLength;
    header[name] = { dtype: values instanceof Float32Array ? "F32" : "F16", shape, data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(32, 8, 8 + headerLength);
  bytes.set(text, 8);
  let at = 8 + headerLength;
  for (const { values } of tensors) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/** Errors: FORMAT, saying what is wrong where. */
export function readSafetensors(bytes: Uint8Array): TensorFile {
  if (!(bytes instanceof Uint8Array)) {
    const hint = "Of an ArrayBuffer: new Uint8Array(buffer).";
    throw new SimdgradError("FORMAT", `load: expected a Uint8Array, received ${show(bytes)}.`, hint);
  }
  const { header, data } = readHeader(bytes);
  let metadata: ReadonlyMap<string, string> = new Map();
  const entries: Entry[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) metadata = readMetadata(entry);
    else entries.push(readEntry(name, entry, data.length));
  }
  checkSpans(entries, data.length);
  const tensors = entries.map(({ name, shape, decode, start, end }): [string, Tensor] => {
    // A copy, as the bytes need not be aligned to numbers (and slice of a Node Buffer is none).
    return [name, { name, shape, values: decode(new Uint8Array(data.subarray(start, end)).buffer) }];
  });
  return { tensors: new Map(tensors), metadata };
}

/** How numbers are read, by dtype. */
const decoders = new Map<unknown, { size: number; decode: (bytes: ArrayBuffer) => Float32Array }>([
  ["F32", { size: 4, decode: (bytes) => new Float32Array(bytes) }],
  ["F16", { size: 2, decode: (bytes) => fromHalf(new Uint16Array(bytes)) }],
  ["BF16", { size: 2, decode: (bytes) => fromBfloat(new Uint16Array(bytes)) }],
]);

/** A tensor as the header describes it. */
interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly decode: (bytes: ArrayBuffer) => Float32Array;
  readonly start: number;
  readonly end: number;
}

function readHeader(bytes: Uint8Array): { header: object; data: Uint8Array } {
  if (bytes.length < 8) throw bad(`expected at least 8 bytes, received ${bytes.length}`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER) throw bad(`expected a header of at most ${MAX_HEADER} bytes, found a length of ${length}`);
  if (length === 0 || (bytes.length > 8 && bytes[8] !== 0x7b))
    throw bad("expected a header that starts with {, found none");
  if (length > bytes.length - 8) throw cut(`expected a header of ${length} bytes`, bytes.length - 8);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length));
    return { header: parseJson(text) as object, data: bytes.subarray(8 + length) };
  } catch (cause) {
    throw bad(`expected a header of JSON in UTF-8, found something else: ${(cause as Error).message}`, cause);
  }
}

function readMetadata(entry: unknown): ReadonlyMap<string, string> {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry))
    throw bad(`expected ${METADATA} to be an object, found ${show(entry)}`);
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== "string")
      throw bad(`expected ${METADATA} to hold text, found ${show(value)} for ${show(key)}`);
  }
  return new Map(Object.entries(entry as Record<string, string>));
}

function readEntry(name: string, entry: unknown, available: number): Entry {
  const { dtype, shape, data_offsets: offsets, ...rest } = (entry ?? {}) as Record<string, unknown>;
  const at = `tensor ${show(name)}`;
  if (Object.keys(rest).length > 0) throw bad(`${at}: unknown field ${show(Object.keys(rest)[0])}`);
  const decoder = decoders.get(dtype);
  if (!decoder)
    throw bad(`${at}: expected dtype to be one of ${[...decoders.keys()].join(", ")}, found ${show(dtype)}`);
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw bad(`${at}: expected a shape of whole numbers, found ${show(shape)}`);
  }
  const inOrder =
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every((offset) => Number.isSafeInteger(offset) && offset >= 0) &&
    offsets[0] <= offsets[1];
  if (!inOrder) {
    const found = Array.isArray(offsets) ? showShape(offsets) : show(offsets);
    throw bad(`${at}: expected data_offsets of a start and an end, found ${found}`);
  }
  const [start, end] = offsets as [number, number];
  const expected = shape.reduce((product, size) => product * size, decoder.size);
  if (end - start !== expected) {
    throw bad(`${at}: expected ${expected} bytes for ${dtype} of the shape ${showShape(shape)}, found ${end - start}`);
  }
  if (end > available) throw cut(`${at}: expected ${end} bytes of data`, available);
  return { name, shape, decode: decoder.decode, start, end };
}

/** Messages stay short, whatever a file holds. */
export function showShape(shape: readonly unknown[]): string {
  return `[${shape
    .slice(0, 8)
    .map((size) => show(size))
    .join(", ")}${shape.length > 8 ? ", ..." : ""}]`;
}

/** Tensors follow each other without overlap and without holes. */
function checkSpans(entries: readonly Entry[], length: number): void {
  let next = 0;
  for (const { name, start, end } of [...entries].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== next)
      throw bad(`tensor ${show(name)}: expected it to start at ${next}, where the one before ends, found ${start}`);
    next = end;
  }
  if (next !== length) throw bad(`expected ${next} bytes of data, found ${length}`);
}

function bad(
  what: string,
  cause?: unknown,
  hint = "The file is damaged, or no safetensors file of simdgrad.",
): SimdgradError {
  return new SimdgradError("FORMAT", `load: ${what}.`, hint, cause ? { cause } : {});
}

function cut(expected: string, found: number): SimdgradError {
  return bad(`${expected}, found ${found}`, undefined, "The file ends early: copy, save or download it again.");
}
