/** The few figures a benchmark prints: medians and percentiles of a handful of runs, with their spread. */

/** Of the sorted values, the one below which `percent` of them lie, interpolated; 0 for none. */
export const percentile = (values: ReadonlyArray<number>, percent: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = ((sorted.length - 1) * percent) / 100
  const low = sorted[Math.floor(at)] ?? 0
  const high = sorted[Math.ceil(at)] ?? low
  return low + (high - low) * (at % 1)
}

export const median = (values: ReadonlyArray<number>): number => percentile(values, 50)
export const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export const round = (value: number, digits = 1): number => Math.round(value * 10 ** digits) / 10 ** digits

export const spread = (values: ReadonlyArray<number>, digits = 1): Spread => ({
  median: round(median(values), digits),
  min: round(Math.min(...values), digits),
  max: round(Math.max(...values), digits)
})

/** `3.71 (3.66 - 3.90) s`. */
export const show = ({ median: middle, min, max }: Spread, unit = ""): string =>
  `${middle} (${min} - ${max})${unit === "" ? "" : ` ${unit}`}`

export interface Quantiles {
  readonly p50: number
  readonly p95: number
}

export const quantiles = (values: ReadonlyArray<number>): Quantiles => ({
  p50: round(percentile(values, 50)),
  p95: round(percentile(values, 95))
})

/** Each of the first divided by its partner of the same round: side by side, so that a busy moment hits both. */
export const ratios = (ours: ReadonlyArray<number>, theirs: ReadonlyArray<number>): Spread =>
  spread(
    ours.flatMap((value, index) => {
      const other = theirs[index]
      return other === undefined || other === 0 ? [] : [value / other]
    }),
    3
  )

/** Of the straight line that lies nearest to the points; 0 for fewer than two. */
export const slope = (points: ReadonlyArray<readonly [x: number, y: number]>): number => {
  const meanX = sum(points.map(([x]) => x)) / points.length
  const meanY = sum(points.map(([, y]) => y)) / points.length
  const spreadX = sum(points.map(([x]) => (x - meanX) ** 2))
  return spreadX > 0 ? sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / spreadX : 0
}
