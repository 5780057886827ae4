/** Events of the bus, as they come. The browser takes up a broken stream where it was (`Last-Event-ID`). */
import { useEffect, useRef, useState } from "react"

export interface BusEvent {
  readonly stream: string
  readonly subject: string
  readonly sequence: number
  /** Epoch milliseconds. */
  readonly time: number
  /** Who published it, and the `stream:sequence` of what it follows from. */
  readonly actor: string
  readonly cause: string
  readonly event: { readonly _tag: string; readonly [field: string]: unknown }
}

/**
 * @param subjects NATS filters with commas between, such as `text.>,bundle.>`; `undefined` subscribes to nothing
 * @param from `CALLS:0,HOST:0` begins with what is there
 * @returns whether events can come now
 */
export const useBusEvents = (subjects: string | undefined, onEvent: (event: BusEvent) => void, from = ""): boolean => {
  const [connected, setConnected] = useState(false)
  const handler = useRef(onEvent)
  handler.current = onEvent
  useEffect(() => {
    if (subjects === undefined) return
    const query = new URLSearchParams({ subjects, ...(from === "" ? {} : { from }) })
    const source = new EventSource(`/api/events?${query.toString()}`)
    const receive = ({ data }: MessageEvent<string>) => handler.current(JSON.parse(data) as BusEvent)
    source.onmessage = receive
    source.onopen = () => setConnected(true)
    source.onerror = () => setConnected(false)
    return () => source.close()
  }, [subjects, from])
  return connected
}

/**
 * Asks again at each event, and whenever the stream opens: what happened between the answer that a part of the page began
 * with and the first event it can get, or while the connection was down, is in no event.
 */
export const useReloadOn = (subjects: string, reload: () => void): void => {
  const connected = useBusEvents(subjects, reload)
  useEffect(() => {
    if (connected) reload()
  }, [connected, reload])
}
