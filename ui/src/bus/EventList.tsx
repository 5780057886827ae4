/** The newest events as rows; one can be opened. */
import { useMemo } from "react"
import { GridList, GridListItem } from "react-aria-components"
import type { BusEvent } from "../events.ts"
import { useStrings } from "../preferences.tsx"
import { hueOf } from "./flows.ts"

const SHOWN = 120

const time = (ms: number) => new Date(ms).toISOString().slice(11, 23)

export const keyOf = ({ stream, sequence }: Pick<BusEvent, "stream" | "sequence">): string => `${stream}:${sequence}`

/** `text.transcribed.call.01J….000003` without its noun and verb, shortened. */
const rest = (subject: string) =>
  subject
    .split(".")
    .slice(2)
    .map((part) => (part.length > 12 ? `…${part.slice(-6)}` : part))
    .join(" · ")

export const EventList = ({
  events,
  filter,
  onOpen
}: {
  readonly events: ReadonlyArray<BusEvent>
  readonly filter: string
  readonly onOpen: (event: BusEvent) => void
}) => {
  const { bus } = useStrings()
  const shown = useMemo(
    () =>
      events
        .filter(({ subject, actor }) => filter === "" || subject.includes(filter) || actor.includes(filter))
        .slice(-SHOWN)
        .toReversed(),
    [events, filter]
  )
  return (
    <GridList
      className="event-list"
      aria-label={bus.events}
      items={shown}
      onAction={(key) => {
        const event = shown.find((each) => keyOf(each) === key)
        if (event !== undefined) onOpen(event)
      }}
      renderEmptyState={() => <p className="muted">{bus.quiet}</p>}
    >
      {(event) => (
        <GridListItem id={keyOf(event)} textValue={event.subject}>
          <div className="event-row">
            <span className="when">{time(event.time)}</span>
            <span className="tag" style={{ "--hue": hueOf(event.event._tag) } as React.CSSProperties}>
              {event.event._tag}
            </span>
            <span className="where">{rest(event.subject)}</span>
            <span className="who">{event.actor}</span>
          </div>
        </GridListItem>
      )}
    </GridList>
  )
}
