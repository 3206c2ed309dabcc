// What is wrong with layers, in words.
import type { LayerHealth } from "./health-report.ts";

/** Gradients of this norm explode; those this much under the largest layer's, by root mean square, vanish. */
const EXPLODING = 1e3;
const VANISHING = 1e-4;
/** An update of this share of the weights wrecks them. */
const LARGE_UPDATE = 0.1;
/** Units that a finding names. */
const NAMED = 8;

/** What findings go by beside a layer's health. */
export interface LayerFacts {
  /** Units whose weights are all 0. */
  readonly zeros: readonly number[];
  /** Whether these are all that it has. */
  readonly blocks: boolean;
  readonly trains: boolean;
  /** Root mean square of its gradients. */
  readonly slope: number;
}

/** What is so of the network as a whole. */
interface Network {
  /** The largest slope. */
  readonly largest: number;
  /** A whole layer of zeros lets nothing through, forward or back: it is the cause of what is 0 elsewhere. */
  readonly blocked: boolean;
  /** Some layer has no gradients and others have. */
  readonly starved: boolean;
}

/** `facts`: those of each layer. */
export function findingsOf(layers: readonly LayerHealth[], facts: readonly LayerFacts[]): string[] {
  const largest = Math.max(...facts.map(({ slope }) => slope));
  const network = {
    largest,
    blocked: facts.some(({ blocks }) => blocks),
    starved: largest > 0 && facts.some(({ trains, slope }) => trains && slope === 0),
  };
  return layers.flatMap((layer, i) => {
    const texts = [...unitFindings(layer, facts[i], network), ...sizeFindings(layer, facts[i], network)];
    return texts.map((text) => `Layer ${layer.layer}: ${text}`);
  });
}

function* unitFindings(
  { deadUnits, symmetricUnits, nonFinite }: LayerHealth,
  { zeros }: LayerFacts,
  { blocked, starved }: Network,
): Generator<string> {
  if (nonFinite > 0) yield `${nonFinite} weights or gradients are not finite: set weights from before.`;
  // A single output may well start from 0.
  const zero = zeros.length > 1 || deadUnits?.includes(zeros[0]) || starved ? zeros : [];
  if (zero.length > 0) yield `${named(zero)} only weights of 0: start from random ones.`;
  const dead = blocked ? [] : (deadUnits ?? []).filter((unit) => !zero.includes(unit));
  if (dead.length > 0) {
    yield `${named(dead)} dead, 0 on every row and without gradient: lower the rate, or use leaky-relu.`;
  }
  for (const group of symmetricUnits) {
    if (!zero.includes(group[0])) yield `${named(group)} the same weights: start from random ones.`;
  }
}

function* sizeFindings(
  { gradientNorm, updateRatio }: LayerHealth,
  { trains, slope }: LayerFacts,
  { largest, blocked }: Network,
): Generator<string> {
  if (gradientNorm > EXPLODING) {
    yield `gradients explode, their norm is ${gradientNorm.toPrecision(3)}: scale the data, lower the rate, set clipNorm.`;
  } else if (trains && slope < VANISHING * largest && !(blocked && gradientNorm === 0)) {
    yield `gradients vanish, ${(slope / largest).toPrecision(2)} of the largest layer's: use relu and its kin, or fewer layers.`;
  }
  if (updateRatio !== undefined && updateRatio > LARGE_UPDATE) {
    yield `the next step changes ${(100 * updateRatio).toPrecision(3)} % of the weights' size: lower the rate.`;
  }
}

function named(units: readonly number[]): string {
  const names = units.slice(0, NAMED).join(", ");
  return `units ${names}${units.length > NAMED ? ` and ${units.length - NAMED} more` : ""}`;
}
