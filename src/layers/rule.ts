// How a layer's spec leads to its rule. A spec made by its function carries the rule unseen, so that a program holds only
// the layers whose functions it imports; plain data is looked up among the kinds that are known, and those that the
// program has made before.
import type { AnyLayer, LayerRule, LayerRules } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import { basicLayers } from "./basic.ts";

/** One symbol for all copies of the package in a process: what the CommonJS files made, the others know. */
const RULE = Symbol.for("simdgrad.rule");

/** Rules of the package's own kinds, by kind, as far as they were used: each is a constant. */
const met = new Map<string, LayerRule<AnyLayer>>();

/** The spec, frozen, with its rule where neither JSON nor a comparison sees it. */
export function sealLayer<S extends AnyLayer>(spec: S, rule: LayerRule<S>): S {
  return Object.freeze(Object.defineProperty(spec, RULE, { value: rule }));
}

/** The same for the package's own kinds, which plain data may name from then on. */
export function sealOwnLayer<S extends AnyLayer>(spec: S, rule: LayerRule<S>): S {
  met.set(spec.kind, rule as LayerRule<AnyLayer>);
  return sealLayer(spec, rule);
}

/** Layers within layers within layers: what walks them needs some stack for each, and a file's text a few levels. */
const MAX_DEPTH = 64;

/** Layers after each other, checked and with their defaults; `depth`: how many layers they lie within.
 *  Errors: CONFIG. */
export function normalizeChain(
  where: string,
  chain: unknown,
  known?: LayerRules,
  depth = 0,
  least = 1,
): readonly AnyLayer[] {
  if (!Array.isArray(chain) || chain.length < least) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected layers to be an array${least > 0 ? " of at least one layer" : ""}, received ${show(chain)}.`,
    );
  }
  if (depth > MAX_DEPTH) {
    throw new SimdgradError("CONFIG", `${where}: expected at most ${MAX_DEPTH} layers within each other, found more.`);
  }
  // Array.from sees the holes that map would skip.
  const layers = Array.from(chain, (layer, i) =>
    layerRule(layer, known, `${where}, layer ${i}`).normalize(layer, known, depth),
  );
  const rules = layers.map((layer) => layerRule(layer));
  const resolved = layers.map((layer, i) => {
    let next = i + 1;
    while (rules[next]?.passes) next++;
    return rules[i].resolve?.(layer, layers[next]) ?? layer;
  });
  return Object.freeze(resolved);
}

/** The end of the hint for a kind that is not known. */
export const OWN_KINDS = "Those of your own go into `custom`, which simdgrad/infer has not.";

/** The rule of a layer. Errors: CONFIG for what is no layer, or plain data of a kind that is not known. */
export function layerRule(spec: AnyLayer, known: LayerRules = basicLayers, where = "layers"): LayerRule<AnyLayer> {
  const { kind, [RULE]: own } = (spec ?? {}) as AnyLayer & { [RULE]?: LayerRule<AnyLayer> };
  const rule = own ?? (typeof kind === "string" && Object.hasOwn(known, kind) ? known[kind] : met.get(kind));
  if (rule) return rule;
  const kinds = [...new Set([...Object.keys(known), ...met.keys()])].join(", ");
  const hint = `Make one with its function, e.g. dense(...); plain data may be of these kinds: ${kinds}.`;
  throw new SimdgradError(
    "CONFIG",
    `${where}: expected a layer, received ${show(spec)}.`,
    typeof kind === "string" ? `${hint} ${OWN_KINDS}` : hint,
  );
}
