// From bytes to a compiled WebAssembly.Module.
import { SimdgradError } from "../errors.ts";

/** A way to get the compiled kernels; called at most once per model, may cache. */
export type ModuleSource = () => WebAssembly.Module;

/** A source that compiles hexadecimal bytes on first use and keeps the module. */
export function moduleFromHex(hex: string): ModuleSource {
  let module: WebAssembly.Module | undefined;
  return () => {
    module ??= compile(bytesOf(hex));
    return module;
  };
}

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  const digit = (i: number) => {
    const code = hex.charCodeAt(i);
    return code < 58 ? code - 48 : code - 87;
  };
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => digit(2 * i) * 16 + digit(2 * i + 1));
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
