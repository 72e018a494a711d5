// Medians, percentiles and ratios. Pure.

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export const median = (values) => percentile(values, 0.5);

/** Above 1 means that ours is better, whichever direction is better. */
export function ratio(better, ours, theirs) {
  return better === 'more' ? ours / theirs : theirs / ours;
}
