/**
 * The `data` of server-sent events, up to `[DONE]`. The only import of Effect's (unstable) parser, which takes care of
 * CRLF, comments and events over several lines; characters split between packets are put together before it.
 */
import * as Sse from "effect/encoding/Sse"
import * as Stream from "effect/Stream"

/** A server's signal that nothing follows; some close the connection instead. */
const DONE = "[DONE]"

export const eventData = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<string, E, R> =>
  Stream.suspend(() => {
    let found: Array<string> = []
    const parser = Sse.makeParser((event) => {
      if (event._tag === "Event") found.push(event.data)
    })
    const feed = (text: string) => {
      parser.feed(text)
      const events = found
      found = []
      return events
    }
    // The blank lines end an event that the server forgot to end.
    return Stream.concat(Stream.decodeText(bytes), Stream.make("\n\n")).pipe(
      Stream.map(feed),
      Stream.flattenIterable,
      Stream.takeWhile((data) => data.trim() !== DONE)
    )
  })
