// Where a CSV stream comes from: pieces, however a runtime hands them out.
import { SimdgradError, show } from "../errors.ts";

/** Pieces of text or of UTF-8, such as Node's createReadStream(path) or the body of a fetch. */
export type CsvSource =
  | AsyncIterable<string | Uint8Array>
  | Iterable<string | Uint8Array>
  | { getReader(): { read(): Promise<{ done: boolean; value?: string | Uint8Array | undefined }>; cancel(): unknown } };

/** Errors: DATA for what is no stream; the source's own. */
export async function* piecesOf(source: CsvSource): AsyncGenerator<string | Uint8Array, void, void> {
  if (typeof source === "object" && source !== null) {
    if (Symbol.asyncIterator in source || Symbol.iterator in source) return yield* source;
    if ("getReader" in source) return yield* readAll(source.getReader());
  }
  throw new SimdgradError(
    "DATA",
    `csvStream: expected a stream or an iterable of text or bytes, received ${show(source)}.`,
    "createReadStream(path) opens a file; whole texts go through csv.",
  );
}

/** Streams of browsers that cannot be iterated over. */
async function* readAll(
  reader: ReturnType<Extract<CsvSource, { getReader(): unknown }>["getReader"]>,
): AsyncGenerator<string | Uint8Array, void, void> {
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (value !== undefined) yield value;
    }
  } finally {
    await reader.cancel();
  }
}
