/**
 * A session as a waterfall: for every unit (chunk or turn) how long each stage took, from the event that it worked on to
 * the one that it made. All of it is in the log; there is no stopwatch.
 */
import { useMemo, useState } from "react"
import { Button } from "react-aria-components"
import type { BusEvent } from "../events.ts"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { useStrings } from "../preferences.tsx"
import { useApi } from "../useApi.ts"
import { keyOf } from "./EventList.tsx"
import { hueOf } from "./flows.ts"
import { Inspector } from "./Inspector.tsx"

interface Bar {
  readonly event: BusEvent
  /** Epoch milliseconds: of the cause (the start of the work) and of the event. */
  readonly start: number
  readonly end: number
  /** What the engine says it computed, milliseconds. */
  readonly computeMs: number | undefined
}

const barsOf = (events: ReadonlyArray<BusEvent>): ReadonlyArray<Bar> => {
  const times = new globalThis.Map(events.map((event) => [keyOf(event), event.time]))
  return events.map((event) => {
    const computeMs = typeof event.event["computeMs"] === "number" ? event.event["computeMs"] : undefined
    return { event, start: Math.min(times.get(event.cause) ?? event.time, event.time), end: event.time, computeMs }
  })
}

const seconds = (ms: number) => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`)

const unitOf = ({ event }: BusEvent): string => (typeof event["unit"] === "number" ? ` ${event["unit"]}` : "")

const Row = ({
  bar,
  first,
  span,
  onOpen
}: {
  readonly bar: Bar
  readonly first: number
  readonly span: number
  readonly onOpen: () => void
}) => {
  const style = {
    "--hue": hueOf(bar.event.event._tag),
    "--from": (bar.start - first) / span,
    "--width": (bar.end - bar.start) / span
  } as React.CSSProperties
  return (
    <li>
      <Button className="react-aria-Button bar-row" onPress={onOpen}>
        <span className="bar-name">
          {bar.event.event._tag}
          {unitOf(bar.event)}
        </span>
        <span className="bar-track" aria-hidden="true">
          <span className="bar" style={style} />
        </span>
        <span className="bar-time">{seconds(bar.end - bar.start)}</span>
      </Button>
    </li>
  )
}

export const Timeline = ({ session }: { readonly session: string }) => {
  const { bus, common } = useStrings()
  const asked = useApi<{ readonly events: ReadonlyArray<BusEvent>; readonly next?: number }>(`/sessions/${session}/events`)
  const [open, setOpen] = useState<BusEvent>()
  const bars = useMemo(() => barsOf(asked.data?.events ?? []), [asked.data])
  const first = Math.min(...bars.map(({ start }) => start))
  const last = Math.max(...bars.map(({ end }) => end))
  return (
    <section aria-labelledby="timeline-title">
      <p>
        <a href="#/bus">← {bus.back}</a>
      </p>
      <h1 id="timeline-title">{bus.timeline}</h1>
      <p className="muted">
        <code>{session}</code> {bars.length > 0 && `· ${bus.spans(bars.length, seconds(last - first))}`}
      </p>
      {asked.problem !== undefined && <ProblemNote problem={asked.problem} retry={asked.reload} />}
      {asked.loading && <p role="status">{common.loading}</p>}
      <ol className="waterfall">
        {bars.map((bar) => (
          <Row key={keyOf(bar.event)} bar={bar} first={first} span={Math.max(1, last - first)} onOpen={() => setOpen(bar.event)} />
        ))}
      </ol>
      {asked.data?.next !== undefined && <p className="muted">{bus.more}</p>}
      <Inspector event={open} onOpen={setOpen} onClose={() => setOpen(undefined)} />
    </section>
  )
}
