// Target rows with label smoothing: t <- (1 - e) * t + e / n.
// Source: Szegedy et al. 2016, as torch.nn.CrossEntropyLoss(label_smoothing).
import { fill } from "./buffers";

/** y = smoothed one-hot rows. Shapes: labels i32[rows], each in 0..n-1; y f32[rows, n]. Units: epsilon in [0, 1). */
export function smooth_labels(rows: i32, n: i32, labels: usize, y: usize, ldy: i32, epsilon: f64): void {
  const low = (epsilon / (n as f64)) as f32;
  const high = (1.0 - epsilon + epsilon / (n as f64)) as f32;
  for (let i = 0; i < rows; i++) {
    const row = y + ((i as usize) << 2) * (ldy as usize);
    fill(n, row, low);
    const label = load<i32>(labels + ((i as usize) << 2)) as usize;
    store<f32>(row + (label << 2), high);
  }
}

/** y = smoothed x. Shapes: x, y f32[rows, n]. Units: epsilon in [0, 1). */
export function smooth_rows(rows: i32, n: i32, x: usize, ldx: i32, y: usize, ldy: i32, epsilon: f64): void {
  const low = epsilon / (n as f64);
  for (let i = 0; i < rows; i++) {
    const from = x + ((i as usize) << 2) * (ldx as usize);
    const to = y + ((i as usize) << 2) * (ldy as usize);
    for (let j = 0; j < n; j++) {
      const at = (j as usize) << 2;
      store<f32>(to + at, ((1.0 - epsilon) * (load<f32>(from + at) as f64) + low) as f32);
    }
  }
}
