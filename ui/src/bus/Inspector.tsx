/** One event with its body, and the chain of events that it follows from. */
import { useEffect, useState } from "react"
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components"
import { api, Problem } from "../api.ts"
import type { BusEvent } from "../events.ts"
import { ProblemNote } from "../parts/ProblemNote.tsx"
import { useStrings } from "../preferences.tsx"
import { keyOf } from "./EventList.tsx"
import { hueOf } from "./flows.ts"

const LONGEST_CHAIN = 24

/** The events before this one, the nearest first. */
const chainOf = async (event: BusEvent, signal: AbortSignal): Promise<ReadonlyArray<BusEvent>> => {
  const chain: Array<BusEvent> = []
  for (let cause = event.cause; cause !== "" && chain.length < LONGEST_CHAIN;) {
    const [stream = "", sequence = ""] = cause.split(":")
    const before = await api.get<BusEvent>(`/events/${stream}/${sequence}`, {}, signal)
    chain.push(before)
    cause = before.cause
  }
  return chain
}

const useChain = (event: BusEvent) => {
  const [chain, setChain] = useState<ReadonlyArray<BusEvent>>([])
  const [problem, setProblem] = useState<Problem>()
  useEffect(() => {
    const abort = new AbortController()
    const ask = async () => {
      setChain([])
      setProblem(undefined)
      try {
        setChain(await chainOf(event, abort.signal))
      } catch (cause) {
        if (!abort.signal.aborted && cause instanceof Problem) setProblem(cause)
      }
    }
    void ask()
    return () => abort.abort()
  }, [event])
  return { chain, problem }
}

const Step = ({ event, since, onOpen }: { readonly event: BusEvent; readonly since: number | undefined; readonly onOpen: () => void }) => (
  <li>
    <Button className="react-aria-Button step" onPress={onOpen}>
      <span className="tag" style={{ "--hue": hueOf(event.event._tag) } as React.CSSProperties}>
        {event.event._tag}
      </span>
      <span className="who">{event.actor}</span>
      {since !== undefined && <span className="muted">{Math.round(since)} ms</span>}
    </Button>
  </li>
)

const Content = ({ event, onOpen }: { readonly event: BusEvent; readonly onOpen: (event: BusEvent) => void }) => {
  const { bus } = useStrings()
  const { chain, problem } = useChain(event)
  const session = typeof event.event["session"] === "string" ? event.event["session"] : undefined
  return (
    <>
      <dl className="facts">
        <dt>{bus.subject}</dt>
        <dd>
          <code>{event.subject}</code>
        </dd>
        <dt>{bus.place}</dt>
        <dd>
          <code>{keyOf(event)}</code> · {new Date(event.time).toISOString()}
        </dd>
        <dt>{bus.by}</dt>
        <dd>{event.actor}</dd>
      </dl>
      {session !== undefined && <a href={`#/bus/${session}`}>{bus.openTimeline}</a>}
      <h3>{bus.cause}</h3>
      {problem !== undefined && <ProblemNote problem={problem} />}
      {event.cause === "" && <p className="muted">{bus.first}</p>}
      <ol className="chain">
        {chain.map((before, index) => (
          <Step
            key={keyOf(before)}
            event={before}
            since={
              (index === 0 ? event : chain[index - 1])?.time === undefined
                ? undefined
                : ((index === 0 ? event : chain[index - 1])?.time ?? 0) - before.time
            }
            onOpen={() => onOpen(before)}
          />
        ))}
      </ol>
      <h3>{bus.body}</h3>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolling region must be reachable by keyboard */}
      <pre className="body" tabIndex={0} role="region" aria-label={bus.body}>
        {JSON.stringify(event.event, null, 2)}
      </pre>
    </>
  )
}

export const Inspector = ({
  event,
  onOpen,
  onClose
}: {
  readonly event: BusEvent | undefined
  readonly onOpen: (event: BusEvent) => void
  readonly onClose: () => void
}) => {
  const { common } = useStrings()
  return (
    <ModalOverlay className="overlay" isOpen={event !== undefined} onOpenChange={(open) => !open && onClose()} isDismissable>
      <Modal className="sheet">
        <Dialog>
          {event !== undefined && (
            <>
              <Heading slot="title" level={2}>
                {event.event._tag}
              </Heading>
              <Button className="react-aria-Button close" slot="close">
                {common.close}
              </Button>
              <Content event={event} onOpen={onOpen} />
            </>
          )}
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}
