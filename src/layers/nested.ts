// What may stand in a list of layers, and the layers that hold such lists: types only.
import type { ActivationSpec } from "./activation.ts";
import type { BatchNormSpec } from "./batch-norm.ts";
import type { CustomSpec } from "./define.ts";
import type { DenseSpec } from "./dense.ts";
import type { DropoutSpec } from "./dropout.ts";
import type { EmbeddingSpec } from "./embedding.ts";
import type { LayerNormSpec } from "./layer-norm.ts";

/** A residual block as data. */
export interface ResidualSpec {
  readonly kind: "residual";
  readonly layers: readonly LayerSpec[];
}

/** A concatenation as data. */
export interface ConcatSpec {
  readonly kind: "concat";
  readonly branches: readonly (readonly LayerSpec[])[];
}

/** Any layer of the package as data. */
export type LayerSpec =
  | DenseSpec
  | ActivationSpec
  | DropoutSpec
  | LayerNormSpec
  | BatchNormSpec
  | ResidualSpec
  | ConcatSpec
  | EmbeddingSpec;

/** A layer as functions take it: of the package or of one's own. */
export type Layer = LayerSpec | CustomSpec;
