// What all matrix products agree on: bits of `flags`, and the block sizes that src/runtime/scratch.ts knows too.
export const ACCUMULATE: i32 = 1;
export const RELU: i32 = 2;
export const PADDED: i32 = 4;
export const MC: i32 = 128;
export const KC: i32 = 256;
export const NC: i32 = 512;
