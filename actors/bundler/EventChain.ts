/**
 * Follows the hash chain of `META-INF/events.jsonl` as its bytes come in: one line is held at a time, so a long call or a
 * hostile file costs no memory.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { GENESIS, unchainLine } from "./Seal.ts"

/** Bytes of a line; the bus takes events of at most 1 MiB. */
const MAX_LINE = 4 * 1024 * 1024

const Line = Schema.Struct({
  sequence: Schema.Int,
  subject: Schema.String,
  event: Schema.Struct({ _tag: Schema.String, session: Schema.String })
})
const decodeLine = Schema.decodeUnknownOption(Schema.fromJsonString(Line))

export interface ChainFacts {
  readonly head: string
  readonly events: number
  readonly session: string
  /** Kind of the last event. */
  readonly last: string
  readonly problems: ReadonlyArray<string>
}

export interface ChainReader {
  readonly push: (bytes: Buffer) => void
  readonly finish: () => ChainFacts
}

/** A reader for one file. It stops at the first fault, because everything after it follows from nothing. */
export const chainReader = (): ChainReader => {
  const problems: Array<string> = []
  let held: Array<Buffer> = []
  let heldBytes = 0
  let facts = { head: GENESIS, events: 0, session: "", last: "", sequence: 0 }

  const fault = (what: string) => problems.push(`The events: line ${facts.events + 1} ${what}.`)

  const take = (text: string) => {
    const link = unchainLine(facts.head, text)
    const line = decodeLine(text)
    if (link === undefined || Option.isNone(line)) return fault("is not an event with its hash")
    if (!link.fits) return fault("does not follow from the line before it: an event was changed, added, moved or taken out")
    const { sequence, event } = line.value
    if (facts.events > 0 && event.session !== facts.session) return fault("is of another session")
    if (sequence <= facts.sequence) return fault("is out of order")
    facts = { head: link.hash, events: facts.events + 1, session: event.session, last: event._tag, sequence }
    return undefined
  }

  const hold = (part: Buffer) => {
    heldBytes += part.length
    if (heldBytes > MAX_LINE) fault(`is longer than ${MAX_LINE} bytes`)
    else held.push(part)
  }

  return {
    push: (bytes) => {
      for (let from = 0; from < bytes.length && problems.length === 0;) {
        const end = bytes.indexOf(0x0a, from)
        hold(bytes.subarray(from, end < 0 ? bytes.length : end))
        if (end < 0) break
        if (problems.length === 0) take(Buffer.concat(held).toString("utf8"))
        held = []
        heldBytes = 0
        from = end + 1
      }
    },
    finish: () => {
      if (problems.length === 0 && heldBytes > 0) problems.push("The events: the last line is cut.")
      return { head: facts.head, events: facts.events, session: facts.session, last: facts.last, problems }
    }
  }
}
