// From bytes to a compiled WebAssembly.Module.
import { SimdgradError } from "../errors.ts";

/** `"strict"`: the same bits on every engine. `"relaxed"`: fused multiply-add where the processor has it, quicker, its
 *  bits not promised. `"auto"`: relaxed where the engine has it. */
export type Simd = "strict" | "relaxed" | "auto";

export const SIMD_MODES: readonly Simd[] = ["strict", "relaxed", "auto"];

/** A way to get the compiled kernels of a build; may cache. Errors: RUNTIME. */
export type ModuleSource = (simd: Simd) => WebAssembly.Module;

/** The two builds that a package carries, in hexadecimal: the strict one whole, the relaxed one as what differs from
 *  it. Each is compiled on first use and kept. */
export function inlinedModules(strictHex: string, relaxedDelta: string): ModuleSource {
  let strict: WebAssembly.Module | undefined;
  let relaxed: WebAssembly.Module | undefined;
  return (simd) => {
    if (!useRelaxed(simd)) {
      strict ??= compile(fromHex(strictHex));
      return strict;
    }
    relaxed ??= compile(applyDelta(fromHex(strictHex), fromHex(relaxedDelta)));
    return relaxed;
  };
}

/** Errors: RUNTIME when relaxed SIMD is asked for and not there. */
export function useRelaxed(simd: Simd): boolean {
  if (simd === "strict") return false;
  const there = typeof WebAssembly !== "undefined" && WebAssembly.validate(RELAXED_PROBE);
  if (!there && simd === "relaxed") {
    throw new SimdgradError(
      "RUNTIME",
      'Expected an engine with relaxed SIMD for simd "relaxed", this one has none.',
      'Pass simd: "auto" to use it where it is; it is in Node 21, Chrome 114 and newer.',
    );
  }
  return there;
}

/** A function of nothing that does one f32x4.relaxed_madd. */
const RELAXED_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0], // header
  ...[1, 4, 1, 96, 0, 0, 3, 2, 1, 0], // one type: nothing to nothing; one function of it
  ...[10, 16, 1, 14, 1, 1, 123], // its body: one v128 local
  ...[32, 0, 32, 0, 32, 0, 253, 133, 2, 26, 11], // local three times, f32x4.relaxed_madd, drop
);

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  const digit = (i: number) => {
    const code = hex.charCodeAt(i);
    return code < 58 ? code - 48 : code - 87;
  };
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => digit(2 * i) * 16 + digit(2 * i + 1));
}

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

function compile(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  if (typeof WebAssembly === "undefined") {
    throw new SimdgradError("RUNTIME", "This engine has no WebAssembly.", "Node 20.19 or newer has it.");
  }
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    throw new SimdgradError(
      "RUNTIME",
      `The kernels did not compile: ${cause instanceof Error ? cause.message : String(cause)}.`,
      "WebAssembly SIMD is needed (Node 16.4, Chrome 91, Firefox 89, Safari 16.4 or newer).",
      { cause },
    );
  }
}
