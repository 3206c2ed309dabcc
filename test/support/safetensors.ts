// Files taken apart and put together again, with headers that no writer of ours would write.
import type { RandomSource } from "./random.ts";

export type Header = Record<string, Record<string, unknown>>;

export interface Parts {
  readonly header: Header;
  readonly data: Uint8Array;
}

export function takeApart(bytes: Uint8Array): Parts {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return {
    header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))),
    data: bytes.subarray(8 + length),
  };
}

/** With a correct length before the header, whatever it is. */
export function putTogether(header: unknown, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

const NUMBERS = [
  0,
  1,
  -1,
  2,
  3,
  5,
  0.5,
  -0,
  255,
  2 ** 16,
  1e6,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 53 - 1,
  1e39,
  1e308,
  -1e9,
];
const WORDS = [
  "",
  "a",
  "__proto__",
  "constructor",
  "toString",
  "F64",
  "F16",
  "BF16",
  "F32",
  "I64",
  "0",
  "-1",
  "\0",
  "\ud800",
];
/** So that what was changed is often still valid. */
const KNOWN = [
  "dense",
  "activation",
  "relu",
  "gelu",
  "softmax",
  "sigmoid",
  "linear",
  "cross-entropy",
  "huber",
  "adam",
  "sgd",
];

/** Any JSON value, small or nasty. */
function anything(random: RandomSource): unknown {
  switch (random.integer(8)) {
    case 0:
    case 1:
    case 2:
      return random.pick(NUMBERS);
    case 3:
      return random.pick(WORDS);
    case 4:
      return random.pick(KNOWN);
    case 5:
      return random.pick([null, true, false, [], {}, [[]], [0, 0], { kind: "dense", units: 1e9 }]);
    case 6:
      return Array.from({ length: random.pick([1, 2, 100, 5000]) }, () => random.pick([0, 1, "x", null]));
    default: {
      const levels = random.pick([3, 200, 300, 1000]);
      return JSON.parse("[".repeat(levels) + "]".repeat(levels));
    }
  }
}

type Container = Record<string | number, unknown>;

/** All objects and arrays in a value, itself first. */
function containers(value: unknown): Container[] {
  const found = isContainer(value) ? [value] : [];
  for (const container of found)
    for (const inner of Object.values(container)) if (isContainer(inner)) found.push(inner);
  return found;
}

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

/** One change at a random place of a JSON value, in place. */
function mutateValue(random: RandomSource, value: unknown): void {
  const container = random.pick(containers(value).filter((c) => Object.keys(c).length > 0));
  const keys = Object.keys(container);
  const key = random.pick(keys);
  const old = container[key];
  switch (random.integer(7)) {
    case 0:
      if (typeof old === "number") container[key] = old + random.pick([1, -1, 4, -4, 0.5, 64]);
      else container[key] = anything(random);
      break;
    case 1:
      delete container[key];
      break;
    case 2:
      define(
        container,
        random.pick([...keys, ...WORDS, "units", "state", "shape"]),
        random.pick([old, anything(random)]),
      );
      break;
    case 3: {
      const other = random.pick(keys);
      container[key] = container[other];
      container[other] = old;
      break;
    }
    case 4:
      if (Array.isArray(container)) container.push(...Array.from({ length: random.pick([1, 3, 200]) }, () => old));
      else container[key] = [old];
      break;
    default:
      container[key] = anything(random);
  }
}

/** As JSON.parse does: a key "__proto__" is one like any other. */
function define(container: Container, key: string, value: unknown): void {
  Object.defineProperty(container, key, { value, enumerable: true, writable: true, configurable: true });
}

/** A file like this one but for a few changes: in its bytes, its header, the JSON in its metadata, its length. */
export function mutated(random: RandomSource, bytes: Uint8Array): Uint8Array {
  switch (random.integer(8)) {
    case 0:
    case 1:
      return mutatedBytes(random, bytes);
    case 2:
      return bytes.subarray(0, random.integer(bytes.length));
    default:
      return mutatedHeader(random, bytes);
  }
}

function mutatedBytes(random: RandomSource, bytes: Uint8Array): Uint8Array {
  const file = bytes.slice();
  const headerEnd = bytes.length - takeApart(bytes).data.length;
  for (let n = random.integer(3); n >= 0; n--) {
    // Mostly in the header, where the meaning is.
    const at = random.integer(random.integer(4) === 0 ? file.length : headerEnd);
    file[at] = random.pick([random.integer(256), 48 + random.integer(10), 34, 0, 255]);
  }
  return file;
}

function mutatedHeader(random: RandomSource, bytes: Uint8Array): Uint8Array {
  const { header, data } = takeApart(bytes);
  for (let n = random.integer(3); n >= 0; n--) {
    const metadata = header.__metadata__;
    const key = random.pick(["spec", "spec", "state", "user"]);
    if (random.integer(5) > 1 && typeof metadata?.[key] === "string")
      metadata[key] = mutatedText(random, metadata[key]);
    else mutateValue(random, header);
    if (containers(header).length < 2) break;
  }
  let text = JSON.stringify(header);
  if (random.integer(10) === 0) text = repeatedName(random, text);
  return putTogether(text, random.integer(10) === 0 ? data.subarray(0, random.integer(data.length)) : data);
}

function mutatedText(random: RandomSource, text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (containers(value).some((c) => Object.keys(c).length > 0)) mutateValue(random, value);
  const changed = JSON.stringify(value) ?? "";
  return random.integer(10) === 0 ? repeatedName(random, changed) : changed;
}

/** Writes a name's beginning a second time, with another value. */
function repeatedName(random: RandomSource, text: string): string {
  const names = [...text.matchAll(/"[^"\\]*":/g)];
  if (names.length === 0) return text;
  const { 0: name, index } = random.pick(names);
  return `${text.slice(0, index)}${name}${random.pick(["1", "null", '"F32"', "{}"])},${text.slice(index)}`;
}
