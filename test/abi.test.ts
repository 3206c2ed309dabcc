// The typed ABI (src/runtime/abi.ts) and the compiled kernels' exports are the same list.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { encodeDelta } from "../scripts/delta.mjs";
import { encodeText } from "../scripts/text.mjs";
import { relaxedDelta } from "../src/generated/relaxed.ts";
import { strictWasm } from "../src/generated/strict.ts";
import { ARENA_BASE, type Kernels } from "../src/runtime/abi.ts";
import { applyDelta, fromText } from "../src/runtime/module.ts";
import { randomSource } from "./support/random.ts";

const bytes = readFileSync(new URL("../build/strict.wasm", import.meta.url));
const module = new WebAssembly.Module(bytes);

/** Kernel name to its number of parameters, read from the text of `interface Kernels`. */
function declaredArities(): Record<string, number> {
  const source = readFileSync(new URL("../src/runtime/abi.ts", import.meta.url), "utf8");
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
  const body = /export interface Kernels \{([\s\S]*?)\n\}/.exec(code)?.[1];
  if (body === undefined) throw new Error("abi.ts has no interface Kernels.");
  const types = pairs(code, /export type (\w+) = ([^;]+);/g);
  const members = pairs(body, /(\w+): ([^;]+);/g);
  const arity = (type: string): number => {
    const parameters = /^\(([^)]*)\) => (?:void|number)$/.exec(type)?.[1];
    if (parameters !== undefined) return [...parameters.matchAll(/\w+\??: number/g)].length;
    const sibling = /^Kernels\["(\w+)"\]$/.exec(type)?.[1];
    const known = sibling === undefined ? types.get(type) : members.get(sibling);
    if (known === undefined) throw new Error(`Expected a function of numbers or an alias of one, found ${type}.`);
    return arity(known);
  };
  return Object.fromEntries([...members].map(([name, type]) => [name, arity(type)]));
}

function pairs(text: string, pattern: RegExp): Map<string, string> {
  return new Map([...text.matchAll(pattern)].map(([, name = "", type = ""]) => [name, type]));
}

function instantiate(): WebAssembly.Exports {
  return new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } }).exports;
}

it("exports what the ABI declares, with as many parameters, and nothing else but the memory", () => {
  const { memory, ...functions } = instantiate();
  expect(memory).toBeInstanceOf(WebAssembly.Memory);
  const exported = Object.fromEntries(
    Object.entries(functions).map(([name, value]) => [name, typeof value === "function" ? value.length : value]),
  );
  expect(exported).toEqual(declaredArities());
});

it("imports its memory and nothing else", () => {
  expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
});

it("keeps its tables below the arena", () => {
  const base = (instantiate() as unknown as Kernels).heap_base();
  expect(base).toBeGreaterThan(0);
  expect(base).toBeLessThanOrEqual(ARENA_BASE);
});

it("is what the package carries", () => {
  expect(Buffer.from(fromText(strictWasm)).equals(bytes)).toBe(true);
});

it("carries the relaxed build as what differs from the strict one", () => {
  const relaxed = readFileSync(new URL("../build/relaxed.wasm", import.meta.url));
  const decoded = applyDelta(bytes, fromText(relaxedDelta));
  expect(Buffer.from(decoded).equals(relaxed)).toBe(true);
});

it("reads every byte from printable text", () => {
  const every = Uint8Array.from({ length: 512 }, (_, i) => (i * 67) % 256);
  const text = encodeText(every);
  expect(text).toMatch(/^[ -~]+$/);
  expect(text).not.toContain('"');
  expect(fromText(text)).toEqual(every);
});

describe("a difference between two byte strings", () => {
  const random = randomSource(3);
  const noise = (n: number) => Uint8Array.from({ length: n }, () => random.integer(256));
  const base = noise(5000);
  const targets: [string, Uint8Array][] = [
    ["nothing", new Uint8Array(0)],
    ["the same", base],
    ["all else", noise(300)],
    ["pieces in another order", Uint8Array.of(...base.subarray(4000), ...noise(9), ...base.subarray(100, 3500))],
    ["the end cut off", base.subarray(0, 4999)],
  ];
  for (const [name, target] of targets) {
    it(name, () => expect(applyDelta(base, encodeDelta(base, target))).toEqual(Uint8Array.from(target)));
  }
});
