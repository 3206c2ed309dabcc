// What clients send, as the learner wants it. The library checks shapes and values; here is checked what it cannot know.
import { SimdgradError } from "simdgrad";
import type { Feedback } from "./journal.ts";
import { PIXELS } from "./learner.ts";

/** Rows of a feedback: a longer one would not fit into a value of the storage. */
const MOST_ROWS = 256;

/** Shapes: [rows, 64], flat. Errors: SHAPE, DATA. */
export function readImages(body: unknown): Float32Array {
  const { x } = asObject(body);
  if (!Array.isArray(x) || !x.every((row) => Array.isArray(row) && row.length === PIXELS)) {
    throw new SimdgradError("SHAPE", `x: expected an array of rows of ${PIXELS} pixels.`);
  }
  for (const [i, row] of x.entries()) {
    const j = row.findIndex((pixel: unknown) => !(typeof pixel === "number" && pixel >= 0 && pixel <= 1));
    if (j < 0) continue;
    const found = `received ${JSON.stringify(row[j])} in row ${i}, column ${j}`;
    throw new SimdgradError("DATA", `x: expected numbers from 0 (paper) to 1 (ink), ${found}.`);
  }
  return Float32Array.from(x.flat());
}

/** Errors: SHAPE, DATA. */
export function readFeedback(body: unknown): Feedback {
  const x = readImages(body);
  const rows = x.length / PIXELS;
  const { y, id } = asObject(body);
  if (!Array.isArray(y) || y.length !== rows || rows > MOST_ROWS) {
    throw new SimdgradError("SHAPE", `y: expected a digit for each of 1 to ${MOST_ROWS} rows of x.`);
  }
  const wrong = y.findIndex((digit) => !Number.isInteger(digit));
  if (wrong >= 0) {
    throw new SimdgradError("DATA", `y: expected whole numbers, received ${JSON.stringify(y[wrong])} in row ${wrong}.`);
  }
  if (id !== undefined && !(typeof id === "string" && id.length <= 64)) {
    throw new SimdgradError("DATA", "id: expected at most 64 characters.");
  }
  return { id, x, y: Int32Array.from(y) };
}

function asObject(body: unknown): Record<string, unknown> {
  if (typeof body === "object" && body !== null) return body as Record<string, unknown>;
  throw new SimdgradError("DATA", "Expected a JSON object.");
}
