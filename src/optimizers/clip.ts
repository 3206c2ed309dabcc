// Bounds on the gradients, taken before every optimizer's step.
import type { BufferRef, Builder, UpdateBlocks } from "../contract.ts";
import { checkNumber } from "../options.ts";

export interface ClipOptions {
  /** The norm of all gradients together is scaled down to it, as torch.nn.utils.clip_grad_norm_ does. */
  clipNorm?: number | undefined;
  /** Each gradient is held within -clipValue..clipValue; with clipNorm too, before it. */
  clipValue?: number | undefined;
}

const clipKeys = ["clipValue", "clipNorm"] as const;

/** Only what is given. Errors: CONFIG. */
export function checkClip(where: string, options: ClipOptions): ClipOptions {
  const given = clipKeys.filter((key) => options[key] !== undefined);
  const bounds = { low: 0, openLow: true, single: true };
  return Object.fromEntries(given.map((key) => [key, checkNumber(where, key, options[key], bounds)]));
}

/** Clips in place, all blocks by one norm; `sum` f64[1] holds the norm's square. */
export function emitClip(
  { clipNorm, clipValue }: ClipOptions,
  b: Builder,
  blocks: readonly UpdateBlocks[],
  sum: BufferRef,
): void {
  if (clipValue) for (const { n, gradients: g } of blocks) b.call(g, "clip_value", n, g, clipValue);
  if (!clipNorm) return;
  blocks.forEach(({ n, gradients }, i) => {
    b.call(sum, "sum_squares", n, gradients, sum, i > 0 ? 1 : 0);
  });
  for (const { n, gradients: g } of blocks) b.call(g, "clip_norm", n, g, sum, clipNorm);
}
