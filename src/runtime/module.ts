// From bytes to a compiled WebAssembly.Module.
import { SimdgradError } from "../errors.ts";
import type { WasmMemory, WasmModule } from "../wasm.ts";

/** `"strict"`: the same bits on every engine. `"relaxed"`: fused multiply-add where the processor has it, quicker, its
 *  bits not promised. `"auto"`: relaxed where the engine has it. */
export type Simd = "strict" | "relaxed" | "auto";

export const SIMD_MODES: readonly Simd[] = ["strict", "relaxed", "auto"];

/** A way to get the compiled kernels of a build, for a memory of its own or a shared one; may cache. Errors: RUNTIME. */
export type ModuleSource = (simd: Simd, shared: boolean) => WasmModule;

/** The two builds that a package carries, as text: the strict one whole, the relaxed one as what differs from it. Each
 *  is compiled on first use and kept. */
export function inlinedModules(strictText: string, relaxedDelta: string): ModuleSource {
  const compiled = new Map<string, WasmModule>();
  return (simd, shared) => {
    const relaxed = useRelaxed(simd);
    const key = `${relaxed} ${shared}`;
    let module = compiled.get(key);
    if (!module) {
      const strict = fromText(strictText);
      const bytes = relaxed ? applyDelta(strict, fromText(relaxedDelta)) : strict;
      module = compile(shared ? forSharedMemory(bytes) : bytes);
      compiled.set(key, module);
    }
    return module;
  };
}

/** One build that an entry carries as text, compiled on first use and kept. Errors: RUNTIME. */
export function inlinedModule(text: string): () => WasmModule {
  let module: WasmModule | undefined;
  return () => {
    module ??= compile(fromText(text));
    return module;
  };
}

/** Modules that the runtime compiled and imported, the relaxed one where every engine of that kind takes it. Errors:
 *  RUNTIME for shared memory, which they are not made for, and for a build that is not there. */
export function givenModules(strict: WasmModule, relaxed?: WasmModule): ModuleSource {
  return (simd, shared) => {
    if (shared) {
      throw new SimdgradError(
        "RUNTIME",
        "threads: expected an environment with shared memory, received one without.",
        "Use threads: 1.",
      );
    }
    if (relaxed) return useRelaxed(simd) ? relaxed : strict;
    if (simd !== "relaxed") return strict;
    throw new SimdgradError(
      "RUNTIME",
      'simd: expected "strict" or "auto", received "relaxed", which this entry does not bring.',
      "Import simdgrad/kernels-relaxed.wasm and pass it to createRuntime.",
    );
  };
}

/** The same module with its one import, env.memory, declared as shared: the kernels do not know the difference. */
export function forSharedMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  // In the import section: size, count 1, length and "env", length and "memory", kind 2 (memory), flags 0, minimum.
  const kind = [...bytes.keys()].find((i) => MEMORY_IMPORT.every((byte, j) => bytes[i + j] === byte)) as number;
  const flags = kind + MEMORY_IMPORT.length - 1;
  const size = kind - 6;
  const shared = Uint8Array.from([
    ...bytes.subarray(0, flags),
    3,
    bytes[flags + 1],
    ...MAXIMUM,
    ...bytes.subarray(flags + 2),
  ]);
  shared[size] += MAXIMUM.length;
  return shared;
}

/** Length and "memory", kind and flags of an unshared memory without a maximum. */
const MEMORY_IMPORT = [6, 109, 101, 109, 111, 114, 121, 2, 0];
/** 65535 pages, as src/runtime/instance.ts allows. */
const MAXIMUM = [255, 255, 3];

/** Errors: RUNTIME when relaxed SIMD is asked for and not there. */
export function useRelaxed(simd: Simd): boolean {
  if (simd === "strict") return false;
  const there = typeof WebAssembly !== "undefined" && WebAssembly.validate(relaxedProbe());
  if (!there && simd === "relaxed") {
    throw new SimdgradError(
      "RUNTIME",
      'simd: expected an engine with relaxed SIMD for "relaxed", received one without.',
      'Pass simd: "auto" to use it where it is; it is in Node 21, Chrome 114 and newer.',
    );
  }
  return there;
}

/** A function of nothing that does one f32x4.relaxed_madd. */
const relaxedProbe = () =>
  Uint8Array.of(
    ...[0, 97, 115, 109, 1, 0, 0, 0], // header
    ...[1, 4, 1, 96, 0, 0, 3, 2, 1, 0], // one type: nothing to nothing; one function of it
    ...[10, 16, 1, 14, 1, 1, 123], // its body: one v128 local
    ...[32, 0, 32, 0, 32, 0, 253, 133, 2, 26, 11], // local three times, f32x4.relaxed_madd, drop
  );

/** The bytes of a text; its form stands in scripts/text.mjs. Errors: RUNTIME. */
export function fromText(text: string): Uint8Array<ArrayBuffer> {
  const { m, d } = new WebAssembly.Instance(compile(decoder())).exports as unknown as Decoder;
  const bytes = new Uint8Array(m.buffer as ArrayBuffer);
  new TextEncoder().encodeInto(text, bytes);
  return bytes.slice(0, d(text.length));
}

interface Decoder {
  readonly m: WasmMemory;
  /** How many bytes came of `length` characters. */
  d(length: number): number;
}

/** Reads characters at 0 and puts bytes in their place. In WebAssembly, as a program that starts interprets its
 *  JavaScript, which took longer here than compiling what comes of it. */
const decoder = () =>
  Uint8Array.of(
    ...[0, 97, 115, 109, 1, 0, 0, 0], // header
    ...[1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0], // one type: i32 to i32; one function of it
    ...[5, 3, 1, 0, 1], // a memory of one page
    ...[7, 9, 2, 1, 109, 2, 0, 1, 100, 0, 0], // exports: memory m, function d
    ...[10, 74, 1, 72, 1, 3, 127], // its body: local 1 from, 2 to, 3 character
    ...[3, 64, 32, 2, 32, 1, 45, 0, 0, 34, 3, 65, 34, 73, 4, 127], // loop; to, for the store; if (character = [from]) < 34
    ...[32, 1, 65, 1, 106, 34, 1, 45, 0, 0, 65, 34, 32, 3, 107, 65, 220, 0, 108, 106], // [++from] + (34 - character) 92
    ...[5, 32, 3, 11, 65, 39, 107, 58, 0, 0], // else character; that less 39 to [to]
    ...[32, 2, 65, 1, 106, 33, 2], // to++
    ...[32, 1, 65, 1, 106, 34, 1, 32, 0, 73, 13, 0, 11], // while ++from < length
    ...[32, 2, 11], // to
  );

/** The bytes that `delta` makes of `base`; its form stands in scripts/delta.mjs. */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  let at = 0;
  let copied = 0;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = delta[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < delta.length) {
    for (let literals = number(); literals > 0; literals--) out.push(delta[at++]);
    if (at === delta.length) break;
    const length = number();
    const step = number();
    copied += step % 2 === 1 ? -(step + 1) / 2 : step / 2;
    for (let i = 0; i < length; i++) out.push(base[copied++]);
  }
  return Uint8Array.from(out);
}

function compile(bytes: Uint8Array<ArrayBuffer>): WasmModule {
  if (typeof WebAssembly === "undefined") {
    throw new SimdgradError(
      "RUNTIME",
      "simd: expected an engine with WebAssembly, received one without.",
      "Node 20.19 or newer has it.",
    );
  }
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    // Valid bytes that do not compile are refused: by a content security policy, or a runtime that wants modules.
    const refused = WebAssembly.validate(bytes);
    throw new SimdgradError(
      "RUNTIME",
      `simd: expected an engine that compiles the kernels, received its refusal: ${cause instanceof Error ? cause.message : String(cause)}`,
      refused
        ? "Compiling from bytes is refused here: allow 'wasm-unsafe-eval', resolve the package with the condition workerd or edge-light, or pass an imported module to createRuntime."
        : "WebAssembly SIMD is needed (Node 16.4, Chrome 91, Firefox 89, Safari 16.4 or newer).",
      { cause },
    );
  }
}
