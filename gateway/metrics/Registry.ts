/** Metrics of their own registry, apart from those that the process keeps: what `/metrics` shows is decided here. */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"

export type Labels = Readonly<Record<string, string>>

/** Most series of one metric: labels come from events, and a log may hold anything. */
const MOST_SERIES = 200

export interface Registry {
  readonly count: (name: string, means: string, labels: Labels, by?: number) => void
  readonly set: (name: string, means: string, labels: Labels, value: number) => void
  readonly observe: (name: string, means: string, boundaries: ReadonlyArray<number>, labels: Labels, value: number) => void
  /** In Prometheus' text format. */
  readonly text: () => string
}

export const makeRegistry = (): Registry => {
  const context = Context.make(Metric.MetricRegistry, new Map())
  const series = new Map<string, Set<string>>()
  const allows = (name: string, labels: Labels): boolean => {
    const known = series.get(name) ?? new Set<string>()
    series.set(name, known)
    const key = JSON.stringify(labels)
    if (!known.has(key) && known.size >= MOST_SERIES) return false
    known.add(key)
    return true
  }
  return {
    count: (name, description, labels, by = 1) => {
      if (allows(name, labels))
        Metric.withAttributes(Metric.counter(name, { description, incremental: true }), labels).updateUnsafe(by, context)
    },
    set: (name, description, labels, value) => {
      if (allows(name, labels)) Metric.withAttributes(Metric.gauge(name, { description }), labels).updateUnsafe(value, context)
    },
    observe: (name, description, boundaries, labels, value) => {
      if (allows(name, labels))
        Metric.withAttributes(Metric.histogram(name, { description, boundaries }), labels).updateUnsafe(value, context)
    },
    text: () => PrometheusMetrics.formatUnsafe(context)
  }
}
