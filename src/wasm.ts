// WebAssembly's types where a project has them (the DOM's library, newer Node types), something harmless elsewhere: the
// package's declarations must compile in both.
type Global = typeof globalThis;

/** A compiled module. */
export type WasmModule = Global extends { WebAssembly: { Module: new (...args: never) => infer M } } ? M : object;
/** A linear memory. */
export type WasmMemory = Global extends { WebAssembly: { Memory: new (...args: never) => infer M } }
  ? M
  : { readonly buffer: ArrayBufferLike };

/** What is used of an AbortSignal. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  /** Throws its reason once it is aborted. */
  throwIfAborted(): void;
}
