// 16-bit floats by their bits: IEEE 754 binary16 (F16) and the upper half of an f32 (BF16).

/** What rounds to infinity from here on. */
export const HALF_LIMIT = 65_520;

/** The nearest halves, ties to even. Shapes: values with |value| < HALF_LIMIT, at a multiple of 4 bytes. */
export function toHalf(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(words, (word, i) => {
    const size = word & 0x7fff_ffff;
    // Below 2^-14 halves are multiples of 2^-24: the sum with 2^52 keeps whole ones. Above, 13 bits less of fraction and
    // the exponent's bias from 127 to 15; a carry of the rounding goes into the exponent, as it should.
    const half =
      size < 0x3880_0000
        ? Math.abs(values[i]) * 0x100_0000 + 0x10_0000_0000_0000 - 0x10_0000_0000_0000
        : (size - 0x3800_0000 + 0xfff + ((size >>> 13) & 1)) >>> 13;
    return ((word >>> 16) & 0x8000) | half;
  });
}

/** Exact. Infinities and NaN stay what they are. */
export function fromHalf(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  const words = new Uint32Array(values.buffer);
  halves.forEach((half, i) => {
    // The fraction and exponent where an f32 has them; times 2^112 for the bias, which makes subnormals normal.
    words[i] = (half & 0x7fff) << 13;
    values[i] *= 5.192296858534828e33;
    if ((half & 0x7c00) === 0x7c00) words[i] |= 0x7f80_0000;
    words[i] |= (half & 0x8000) << 16;
  });
  return values;
}

/** Exact. Infinities and NaN stay what they are. */
export function fromBfloat(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}
