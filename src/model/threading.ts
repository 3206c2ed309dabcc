// Lists that run on several lanes. Only entries that can have lanes import it.
import type { Scalar } from "../contract.ts";
import { shareSteps } from "../plan/shares.ts";
import { checkLanes, Lanes } from "../runtime/lanes.ts";
import type { Threading } from "./engine.ts";

/** Work under which waking lanes costs more than they give. Units: about FLOPs. */
const SHARED_WORK = 1.5e7;
/** How many scalars lanes can be handed. */
const MAX_SCALARS = 64;

export const threading: Threading = {
  check: checkLanes,
  share(engine, steps, rows) {
    const { threads, worker } = engine.options;
    const scalars: Scalar[] = [];
    const shares = shareSteps(steps, engine.placement, rows, threads, scalars);
    if (shares.work < SHARED_WORK || scalars.length > MAX_SCALARS) return undefined;
    engine.lanes ??= new Lanes(threads, engine.module, engine.instance, worker);
    const lanes = engine.lanes as Lanes;
    const list = lanes.load(shares.lanes);
    return () => {
      if (!lanes.ready(list)) return undefined;
      scalars.forEach((scalar, i) => {
        lanes.scalars[i] = scalar.value(engine.update);
      });
      return lanes.run(list);
    };
  },
};
