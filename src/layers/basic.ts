// The layers that every program holds: plain data of these kinds is always known.
import type { LayerRules } from "../contract.ts";
import { activationRule } from "./activation.ts";
import { denseRule } from "./dense.ts";

export const basicLayers: LayerRules = { dense: denseRule, activation: activationRule };
