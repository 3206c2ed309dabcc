// Models, compared whole.
import type { Model } from "../../src/index.ts";

/** Everything that a file keeps, byte by byte. */
export const stateOf = (model: Model): string => Buffer.from(model.save()).toString("latin1");
