// All layer kinds. A new one is one file and one line in the type and the table here. Only `load` needs the table: a file
// may hold any of them.
import type { LayerRules } from "../contract.ts";
import type { ActivationSpec } from "./activation.ts";
import { basicLayers } from "./basic.ts";
import { type BatchNormSpec, batchNormRule } from "./batch-norm.ts";
import { type ConcatSpec, concatRule } from "./concat.ts";
import type { DenseSpec } from "./dense.ts";
import { type DropoutSpec, dropoutRule } from "./dropout.ts";
import { type LayerNormSpec, layerNormRule } from "./layer-norm.ts";
import { type ResidualSpec, residualRule } from "./residual.ts";

/** Any layer as data. */
export type LayerSpec =
  | DenseSpec
  | ActivationSpec
  | DropoutSpec
  | LayerNormSpec
  | BatchNormSpec
  | ResidualSpec
  | ConcatSpec;

export const allLayers: LayerRules = {
  ...basicLayers,
  dropout: dropoutRule,
  "layer-norm": layerNormRule,
  "batch-norm": batchNormRule,
  residual: residualRule,
  concat: concatRule,
};
