import * as simdgrad from "simdgrad";
import * as infer from "simdgrad/infer";
import * as kernels from "simdgrad/kernels";
import { exercise } from "../../spec.mjs";

export const dynamic = "force-dynamic";

export async function GET() {
  return Response.json(await exercise({ simdgrad, infer, kernels }));
}
