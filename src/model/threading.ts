// Lists that run on several lanes. Only entries that can have lanes import it.
import type { Scalar } from "../contract.ts";
import { SimdgradError } from "../errors.ts";
import { shareSteps } from "../plan/shares.ts";
import { checkLanes, Lanes, RESULTS } from "../runtime/lanes.ts";
import type { Engine, Threading } from "./engine.ts";

/** Work under which waking lanes costs more than they give. Units: about FLOPs. */
const SHARED_WORK = 1.5e7;
export const threading: Threading = {
  check: checkLanes,
  share(engine, parts, rows) {
    const { threads, worker } = engine.options;
    const scalars: Scalar[] = [];
    const shares = shareSteps(parts, engine.placement, rows, threads, scalars);
    if (shares.work < SHARED_WORK || scalars.length > RESULTS) return undefined;
    if (!engine.lanes) {
      // Stays where workers cannot start, so that this is told once.
      engine.lanes = NONE;
      engine.lanes = new Lanes(threads, engine.module, engine.instance, worker);
    }
    const { lanes } = engine;
    if (!(lanes instanceof Lanes)) return undefined;
    const list = lanes.load(shares.lanes, shares.work);
    return {
      run: (gate) => {
        if (!lanes.ready(list)) return undefined;
        scalars.forEach((scalar, i) => {
          lanes.scalars[i] = scalar.value(engine.update);
        });
        try {
          return lanes.run(list, gate);
        } catch (error) {
          throw parts[lanes.part] === engine.plan.update?.steps ? tear(engine, error) : error;
        }
      },
      forget: () => lanes.forget(list),
    };
  },
};

const NONE = { stop: () => undefined };

/** Moments and weights are written in place: after half an update there is no way back, and none forward. */
function tear(engine: Engine, cause: unknown): SimdgradError {
  engine.torn = new SimdgradError(
    "RUNTIME",
    "A lane was lost within an update: some weights are those before it, some those after.",
    "This model is of no use any more; go on from its last save.",
    { cause },
  );
  return engine.torn;
}
