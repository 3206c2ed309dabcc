// @ts-check
// One build of the kernels as a difference to another, so that a package with both is hardly larger than with one.

/** What turns `base` into `target`: literal length, literal bytes, copy length, copy start as a signed step from where
 *  the last copy ended, and so on; numbers as LEB128. The decoder is in src/runtime/module.ts.
 *  @param {Uint8Array} base @param {Uint8Array} target @returns {Uint8Array} */
export function encodeDelta(base, target) {
  const positions = indexOf(base);
  /** @type {number[]} */
  const out = [];
  let literalStart = 0;
  let expected = 0;
  let at = 0;
  while (at < target.length) {
    const { start, length } = longestMatch(base, target, at, positions, expected);
    if (length < MIN_MATCH) {
      at++;
      continue;
    }
    writeNumber(out, at - literalStart);
    out.push(...target.subarray(literalStart, at));
    writeNumber(out, length);
    const step = start - expected;
    writeNumber(out, step < 0 ? -2 * step - 1 : 2 * step);
    at += length;
    literalStart = at;
    expected = start + length;
  }
  writeNumber(out, target.length - literalStart);
  out.push(...target.subarray(literalStart));
  return Uint8Array.from(out);
}

const MIN_MATCH = 6;

/** @param {Uint8Array} bytes @param {number} at */
const key = (bytes, at) => String.fromCharCode(...bytes.subarray(at, at + MIN_MATCH));

/** @param {Uint8Array} base */
function indexOf(base) {
  /** @type {Map<string, number[]>} */
  const positions = new Map();
  for (let at = 0; at + MIN_MATCH <= base.length; at++) {
    const found = positions.get(key(base, at));
    if (found) found.push(at);
    else positions.set(key(base, at), [at]);
  }
  return positions;
}

/** The longest match, the one next to the last copy among equals.
 *  @param {Uint8Array} base @param {Uint8Array} target @param {number} at
 *  @param {Map<string, number[]>} positions @param {number} expected */
function longestMatch(base, target, at, positions, expected) {
  let best = { start: 0, length: 0 };
  for (const start of positions.get(key(target, at)) ?? []) {
    let length = 0;
    while (at + length < target.length && base[start + length] === target[at + length]) length++;
    const nearer = Math.abs(start - expected) < Math.abs(best.start - expected);
    if (length > best.length || (length === best.length && nearer)) best = { start, length };
  }
  return best;
}

/** @param {number[]} out @param {number} value */
function writeNumber(out, value) {
  for (; value > 127; value >>>= 7) out.push((value & 127) | 128);
  out.push(value);
}
