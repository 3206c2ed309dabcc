"use client";

import { useEffect } from "react";
import * as simdgrad from "simdgrad";
import * as infer from "simdgrad/infer";
import * as kernels from "simdgrad/kernels";
import { exercise } from "../spec.mjs";

export function Browser() {
  useEffect(() => {
    globalThis.result = exercise({ simdgrad, infer, kernels });
  }, []);
  return null;
}
