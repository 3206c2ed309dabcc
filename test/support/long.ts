/** True under `npm run test:long`: full counts in place of samples. */
export const LONG = process.env.SIMDGRAD_LONG === "1";
