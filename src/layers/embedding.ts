// The embedding: an integer column of the input becomes a learned vector.
import type { BufferRef, Builder, IndexColumn, LayerRule } from "../contract.ts";
import { SimdgradError } from "../errors.ts";
import { type Initializer, normalizeInitializer } from "../initializers.ts";
import { checkBoolean, checkCount, checkKeys, checkRequired, orDefault } from "../options.ts";
import { sealOwnLayer } from "./rule.ts";

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** How many indices there are: 0 to vocabulary - 1. */
  vocabulary: number;
  /** Length of the vector that takes the column's place. */
  units: number;
  /** The column of the layer's input that holds indices. */
  column: number;
  /** Default: normal, of mean 0 and standard deviation 1. */
  tableInit?: Initializer | undefined;
  /** false freezes the table. Default true. */
  trainable?: boolean | undefined;
}

/** An embedding as data. */
export interface EmbeddingSpec extends Readonly<Omit<EmbeddingOptions, "tableInit" | "trainable">> {
  readonly kind: "embedding";
  readonly tableInit: Initializer;
  readonly trainable: boolean;
}

const KEYS = ["vocabulary", "units", "column", "tableInit", "trainable"];
/** f32 holds no more whole numbers without holes. */
const MAX_VOCABULARY = 2 ** 24;

/** Replaces column `column` of x by the row of a table that the index there names; the other columns stay, those after it
 *  move by units - 1. It stands first, or after other embeddings, whose vectors it counts as columns.
 *  Shapes: x [rows, inputs], table [vocabulary, units], y [rows, inputs - 1 + units]; dLoss/dInput is 0 at the column.
 *  Errors: CONFIG; an index that is not whole or out of range is DATA, naming its row. */
export function embedding(options: EmbeddingOptions): EmbeddingSpec {
  checkKeys("embedding", orDefault(options as object, {}), KEYS);
  return embeddingRule.normalize({ ...options, kind: "embedding" } as EmbeddingSpec);
}

export const embeddingRule: LayerRule<EmbeddingSpec> = {
  anyStride: true,
  normalize(spec) {
    checkKeys("embedding", spec, ["kind", ...KEYS]);
    checkRequired("embedding", spec, KEYS.slice(0, 3));
    const vocabulary = checkCount("embedding", "vocabulary", spec.vocabulary);
    if (vocabulary > MAX_VOCABULARY) {
      throw new SimdgradError(
        "CONFIG",
        `embedding: expected a vocabulary of at most ${MAX_VOCABULARY}, received ${vocabulary}.`,
      );
    }
    const normal: Initializer = { kind: "normal", mean: 0, std: 1 };
    const plain: EmbeddingSpec = {
      kind: "embedding",
      vocabulary,
      units: checkCount("embedding", "units", spec.units),
      column: checkCount("embedding", "column", spec.column, 0),
      tableInit: normalizeInitializer("embedding", "tableInit", orDefault(spec.tableInit, normal)),
      trainable: checkBoolean("embedding", "trainable", orDefault(spec.trainable, true)),
    };
    return sealOwnLayer(plain, embeddingRule);
  },
  units({ units, column }, inputs) {
    if (column < inputs) return inputs - 1 + units;
    throw new SimdgradError(
      "CONFIG",
      `embedding: expected column to be one of the ${inputs} that go in, 0 to ${inputs - 1}, received ${column}.`,
    );
  },
  parameters: ({ vocabulary, units, tableInit, trainable }) => [
    { name: "table", shape: [vocabulary, units], init: tableInit, trainable },
  ],
  indices: (spec, before) => indexColumn(spec, before as readonly EmbeddingSpec[] | undefined),
  emit({ column, units, vocabulary }, b, x, [table]) {
    const after = x.columns - 1 - column;
    const index = b.slice(x, column, 1);
    /** Copies the other columns, from where x has them to where y has them or back. */
    const copyOthers = (b: Builder, from: BufferRef, to: BufferRef, source: number, target: number): void => {
      const copy = (first: number, second: number, n: number): void => {
        if (n === 0) return;
        const part = b.slice(to, second, n);
        b.call(part, "copy_matrix", b.rows, n, b.slice(from, first, n), from.stride, part, part.stride);
      };
      copy(0, 0, column);
      copy(column + source, column + target, after);
    };
    const y = b.buffer(x.columns - 1 + units);
    const vectors = b.slice(y, column, units);
    copyOthers(b, x, y, 1, units);
    b.call(vectors, "gather_rows", b.rows, units, index, x.stride, table, units, vectors, y.stride);
    b.keep(x);
    return {
      output: y,
      backward: (b, dy, wantsInput) => {
        const dTable = b.gradient(table);
        if (dTable) {
          if (!b.accumulate) b.call(dTable, "fill", vocabulary * units, dTable, 0);
          const dVectors = b.slice(dy, column, units);
          b.call(dTable, "scatter_rows", b.rows, units, index, x.stride, dVectors, dy.stride, dTable, units);
        }
        if (!wantsInput) return undefined;
        const dx = b.buffer(x.columns);
        b.call(dx, "fill", b.elements(dx), dx, 0);
        copyOthers(b, dy, dx, units, 1);
        return dx;
      },
    };
  },
};

/** The column of the network's x, seen through the embeddings before. Errors: CONFIG. */
function indexColumn({ column, vocabulary }: EmbeddingSpec, before: readonly EmbeddingSpec[] | undefined): IndexColumn {
  if (!before || before.some(({ kind }) => kind !== "embedding")) {
    throw new SimdgradError(
      "CONFIG",
      "embedding: expected it to be the first layer, or to follow embeddings only, found other layers before or around it.",
      "Indices must come from x itself.",
    );
  }
  const origin = before.reduceRight((at, { column, units }) => {
    if (at < column) return at;
    return at < column + units ? Number.NaN : at - units + 1;
  }, column);
  if (origin >= 0) return { column: origin, count: vocabulary };
  throw new SimdgradError(
    "CONFIG",
    `embedding: expected column ${column} to hold indices, found it within the vector of an embedding before it.`,
    "Columns after an embedded one move by its units - 1: embed the last column first.",
  );
}
