/** A session as its log has it: raw records, so that bytes can be compared. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Mode, SessionId } from "../../contract/Session.ts"
import { eventStream, sessionFilters } from "../../contract/Subjects.ts"
import { Bus, type Recorded } from "../../kernel/Bus.ts"
import { Terminal } from "../../kernel/Failure.ts"

export interface Recording {
  readonly mode: Mode
  readonly session: SessionId
  readonly records: ReadonlyArray<Recorded>
}

/** Fails with `session.unknown` when neither stream has an event of it. */
export const recordingOf = Effect.fnUntraced(function* (session: SessionId) {
  const bus = yield* Bus
  for (const mode of ["call", "assistant"] as const) {
    const records = yield* Stream.runCollect(bus.read(eventStream(mode), { filters: sessionFilters(mode, session) }))
    if (records.length > 0) return { mode, session, records } satisfies Recording
  }
  return yield* new Terminal({ code: "session.unknown", message: `There is no session ${session} on the log.` })
})
