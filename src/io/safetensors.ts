// The safetensors format: a length, a JSON header, then the tensors' bytes. A file is not trusted: every number in its
// header is checked before it is used.
// Source: the format's description by Hugging Face; here with F32 tensors only, little-endian as WebAssembly is.
import { SimdgradError, show } from "../errors.ts";

export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** As the reference reader: a longer header is no header. Units: bytes. */
const MAX_HEADER = 100_000_000;
const METADATA = "__metadata__";

/** The same tensors and metadata give the same bytes. The header is padded so that tensors are 8-byte aligned. */
export function writeSafetensors(tensors: readonly Tensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const header: Record<string, unknown> = { [METADATA]: metadata };
  let end = 0;
  for (const { name, shape, values } of tensors) {
    const start = end;
    end += values.length * 4;
    header[name] = { dtype: "F32", shape, data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(32, 8, 8 + headerLength);
  bytes.set(text, 8);
  let at = 8 + headerLength;
  for (const { values } of tensors) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.length * 4), at);
    at += values.length * 4;
  }
  return bytes;
}

/** Errors: FORMAT, saying what is wrong where. */
export function readSafetensors(bytes: Uint8Array): TensorFile {
  if (!(bytes instanceof Uint8Array)) {
    throw new SimdgradError("FORMAT", `load: expected a Uint8Array, received ${show(bytes)}.`);
  }
  const { header, data } = readHeader(bytes);
  const tensors = new Map<string, Tensor>();
  const spans: { name: string; start: number; end: number }[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) {
      metadata = readMetadata(entry);
      continue;
    }
    const { shape, start, end } = readEntry(name, entry, data.length);
    spans.push({ name, start, end });
    // A copy, as the bytes need not be aligned to floats (and slice of a Node Buffer is none).
    tensors.set(name, { name, shape, values: new Float32Array(new Uint8Array(data.subarray(start, end)).buffer) });
  }
  checkSpans(spans, data.length);
  return { tensors, metadata };
}

function readHeader(bytes: Uint8Array): { header: object; data: Uint8Array } {
  if (bytes.length < 8) throw bad(`expected at least 8 bytes, received ${bytes.length}`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER || length > bytes.length - 8) {
    throw bad(
      `expected a header of at most ${Math.min(MAX_HEADER, bytes.length - 8)} bytes, found a length of ${length}`,
    );
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch (cause) {
    throw bad("expected a header of JSON in UTF-8, found something else", cause);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw bad(`expected the header to be an object, found ${show(header)}`);
  }
  return { header, data: bytes.subarray(8 + length) };
}

function readMetadata(entry: unknown): ReadonlyMap<string, string> {
  if (typeof entry !== "object" || entry === null)
    throw bad(`expected ${METADATA} to be an object, found ${show(entry)}`);
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== "string")
      throw bad(`expected ${METADATA} to hold text, found ${show(value)} for ${show(key)}`);
  }
  return new Map(Object.entries(entry as Record<string, string>));
}

function readEntry(name: string, entry: unknown, available: number): { shape: number[]; start: number; end: number } {
  const { dtype, shape, data_offsets: offsets, ...rest } = (entry ?? {}) as Record<string, unknown>;
  const at = `tensor ${show(name)}`;
  if (Object.keys(rest).length > 0) throw bad(`${at}: unknown field ${show(Object.keys(rest)[0])}`);
  if (dtype !== "F32") throw bad(`${at}: expected dtype "F32", found ${show(dtype)}`);
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw bad(`${at}: expected a shape of whole numbers, found ${show(shape)}`);
  }
  const inRange =
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every((offset) => Number.isSafeInteger(offset) && offset >= 0 && offset <= available) &&
    offsets[0] <= offsets[1];
  if (!inRange) throw bad(`${at}: expected data_offsets within the ${available} bytes of data, found ${show(offsets)}`);
  const [start, end] = offsets as [number, number];
  const expected = shape.reduce((product, size) => product * size, 4);
  if (end - start !== expected) {
    throw bad(`${at}: expected ${expected} bytes for the shape [${shape.join(", ")}], found ${end - start}`);
  }
  return { shape, start, end };
}

/** Tensors follow each other without overlap and without holes. */
function checkSpans(spans: { name: string; start: number; end: number }[], length: number): void {
  spans.sort((a, b) => a.start - b.start || a.end - b.end);
  let next = 0;
  for (const { name, start, end } of spans) {
    if (start !== next)
      throw bad(`tensor ${show(name)}: expected it to start at ${next}, where the one before ends, found ${start}`);
    next = end;
  }
  if (next !== length) throw bad(`expected ${next} bytes of data, found ${length}`);
}

function bad(what: string, cause?: unknown): SimdgradError {
  return new SimdgradError("FORMAT", `load: ${what}.`, "The file is damaged, or no safetensors file of simdgrad.", {
    cause,
  });
}
