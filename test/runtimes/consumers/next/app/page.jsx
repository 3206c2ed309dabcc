// Rendered by the server, where it trains; its client component trains in the browser.
import * as simdgrad from "simdgrad";
import * as infer from "simdgrad/infer";
import * as kernels from "simdgrad/kernels";
import { exercise } from "../spec.mjs";
import { Browser } from "./browser.jsx";

export const dynamic = "force-dynamic";

export default async function Page() {
  const hashes = await exercise({ simdgrad, infer, kernels });
  return (
    <main>
      <script id="server" type="application/json">
        {JSON.stringify(hashes)}
      </script>
      <Browser />
    </main>
  );
}
