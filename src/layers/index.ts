// All layer kinds. A new one is one file and one line in the type and the table here. Only `load` needs the table: a file
// may hold any of them.
import type { LayerRules } from "../contract.ts";
import { type ActivationSpec, activationRule } from "./activation.ts";
import { type BatchNormSpec, batchNormRule } from "./batch-norm.ts";
import { type ConcatSpec, concatRule } from "./concat.ts";
import { type DenseSpec, denseRule } from "./dense.ts";
import { type DropoutSpec, dropoutRule } from "./dropout.ts";
import { type EmbeddingSpec, embeddingRule } from "./embedding.ts";
import { type LayerNormSpec, layerNormRule } from "./layer-norm.ts";
import { type ResidualSpec, residualRule } from "./residual.ts";

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

/** Written out: bundlers keep a table that spreads another, used or not. */
export const allLayers: LayerRules = {
  dense: denseRule,
  activation: activationRule,
  dropout: dropoutRule,
  "layer-norm": layerNormRule,
  "batch-norm": batchNormRule,
  residual: residualRule,
  concat: concatRule,
  embedding: embeddingRule,
};
