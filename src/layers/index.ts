// All layer kinds. A new one is one file and one line in the table here, and one in the type of nested.ts. Only `load`
// needs the table: a file may hold any of them.
import type { LayerRules } from "../contract.ts";
import { activationRule } from "./activation.ts";
import { batchNormRule } from "./batch-norm.ts";
import { concatRule } from "./concat.ts";
import { denseRule } from "./dense.ts";
import { dropoutRule } from "./dropout.ts";
import { embeddingRule } from "./embedding.ts";
import { layerNormRule } from "./layer-norm.ts";
import { residualRule } from "./residual.ts";

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
