/** What the bus view knows: the newest events, how each actor is, and how much passed in the last seconds. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react"
import type { ActorStatus } from "../../../contract/ActorCommands.ts"
import { type BusEvent, useBusEvents } from "../events.ts"
import { useApi } from "../useApi.ts"

/** Events that are kept to be looked at. */
const KEPT = 400
const WINDOW_MS = 10_000
const DRAW_MS = 250
/** How often the host is asked how much work waits. */
const ASK_MS = 2_000

export interface ActorState {
  readonly status: string
  readonly detail: string
  /** Times that a process of it ended by itself. */
  readonly restarts: number
  /** Events that nobody has taken yet, or that are worked on. */
  readonly waiting: number
  /** Events it published while this page was open. */
  readonly published: number
}

export interface BusPicture {
  readonly events: ReadonlyArray<BusEvent>
  readonly actors: Readonly<Record<string, ActorState>>
  readonly perSecond: number
}

interface Seen {
  readonly events: ReadonlyArray<BusEvent>
  readonly published: Readonly<Record<string, number>>
  readonly perSecond: number
}

const ofHost = ({ stream }: BusEvent) => stream === "HOST"

const counted = (published: Readonly<Record<string, number>>, { actor }: BusEvent) => ({
  ...published,
  [actor]: (published[actor] ?? 0) + 1
})

const stateOf = (actor: ActorStatus, published: number): ActorState => ({
  status: actor.health,
  detail: actor.detail,
  restarts: actor.restarts,
  waiting: actor.lanes.reduce((sum, { pending, inFlight }) => sum + pending + inFlight, 0),
  published
})

/** @param onEvent sees every event at once, for the moving picture */
export const useBus = (onEvent: (event: BusEvent) => void): BusPicture => {
  const [seen, setSeen] = useState<Seen>({ events: [], published: {}, perSecond: 0 })
  const waiting = useRef<Array<BusEvent>>([])
  const handler = useRef(onEvent)
  handler.current = onEvent
  const asked = useApi<{ readonly actors: ReadonlyArray<ActorStatus> }>("/actors")
  const { reload } = asked
  const connected = useBusEvents(
    ">",
    useCallback(
      (event: BusEvent) => {
        waiting.current.push(event)
        handler.current(event)
        if (event.event._tag === "health.changed") reload()
      },
      [reload]
    ),
    "HOST:0"
  )
  useEffect(() => {
    const timer = setInterval(() => document.hidden || reload(), ASK_MS)
    return () => clearInterval(timer)
  }, [reload])
  // Events may come by the hundred: the page is drawn four times a second.
  useEffect(() => {
    const timer = setInterval(() => {
      const now = Date.now()
      const fresh = waiting.current
      waiting.current = []
      setSeen((before) => {
        const events = fresh.length === 0 ? before.events : [...before.events, ...fresh].slice(-KEPT)
        const perSecond = events.filter((event) => !ofHost(event) && now - event.time < WINDOW_MS).length / (WINDOW_MS / 1000)
        if (fresh.length === 0 && perSecond === before.perSecond) return before
        return { events, perSecond, published: fresh.filter((event) => !ofHost(event)).reduce(counted, before.published) }
      })
    }, DRAW_MS)
    return () => clearInterval(timer)
  }, [])
  const actors = useMemo(() => {
    const states = (asked.data?.actors ?? []).map((actor) => [actor.actor, stateOf(actor, seen.published[actor.actor] ?? 0)] as const)
    // The gateway is what this page talks to: it is there as long as events can come.
    const gateway: ActorState = {
      status: connected ? "ready" : "down",
      detail: "",
      restarts: 0,
      waiting: 0,
      published: seen.published["gateway"] ?? 0
    }
    return Object.fromEntries([...states, ["gateway", gateway] as const])
  }, [asked.data, seen.published, connected])
  return { events: seen.events, actors, perSecond: seen.perSecond }
}
