/**
 * Many short calls and turns with the test-kit engines, and an audit of the log: everything settled, nothing twice.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SessionConfig, type SessionId } from "../../contract/Session.ts"
import { type Logged } from "../../kernel/Actor.ts"
import { Bus } from "../../kernel/Bus.ts"
import { logged } from "../../kernel/Envelope.ts"
import { wavBytes } from "../../kernel/media/Wav.ts"
import { runCall } from "../../launcher/Call.ts"
import { runTurn } from "../../launcher/Turn.ts"
import * as Stream from "effect/Stream"

export const testkitConfig: SessionConfig = Schema.decodeUnknownSync(SessionConfig)({
  transcriber: { engine: "testkit" },
  reasoner: { engine: "testkit" },
  speaker: { engine: "testkit" }
})

const folder = mkdtempSync(join(tmpdir(), "voxbus-load-"))

/** Tones of two seconds with a pause after each; `n` makes it different from every other. */
export const toneFile = (n: number, tones: number): string => {
  const samples = new Int16Array(tones * 3 * 16_000)
  for (let tone = 0; tone < tones; tone += 1) {
    for (let i = 0; i < 32_000; i += 1) samples[tone * 48_000 + i] = Math.round(6_000 * Math.sin((i * (200 + n + tone * 7)) / 2_546))
  }
  const path = join(folder, `tone-${n}-${tones}.wav`)
  writeFileSync(path, wavBytes(samples, 16_000, 1))
  return path
}

/** Returns the milliseconds it took. */
export const turn = Effect.fnUntraced(function* (n: number) {
  const began = performance.now()
  const { session } = yield* runTurn({ config: testkitConfig, path: toneFile(n, 1) }, () => Effect.void)
  return { session, ms: performance.now() - began }
})

export const call = (n: number) =>
  Effect.map(
    runCall({ config: testkitConfig, path: toneFile(n, 30) }, () => Effect.void),
    ({ session }) => session
  )

export interface Audit {
  readonly events: number
  readonly lost: ReadonlyArray<string>
  readonly duplicated: ReadonlyArray<string>
  readonly dead: number
}

const isA = (tag: string) => (entry: Logged) => entry.event._tag === tag

const missingIn = (session: SessionId, events: ReadonlyArray<Logged>): ReadonlyArray<string> => {
  const has = (tag: string) => (events.some(isA(tag)) ? [] : [`${session}: no ${tag}`])
  const mode = events[0]?.event !== undefined && "mode" in events[0].event ? events[0].event.mode : "none"
  const settled = events.filter(({ event }) => event._tag === "text.transcribed" || event._tag === "text.rejected").length
  const chunks = events.filter(isA("audio.normalized")).length
  const common = ["job.queued", "session.opened", "audio.captured", "session.closed"].flatMap(has)
  const texts = settled === chunks && chunks > 0 ? [] : [`${session}: ${chunks} chunks, ${settled} settled`]
  if (mode === "call") return [...common, ...texts, ...["audio.completed", "transcript.completed", "bundle.ready"].flatMap(has)]
  if (events.some(isA("text.rejected"))) return [...common, ...texts]
  const sentences = events.find(isA("reply.ready"))?.event
  const spoken = events.filter(isA("speech.synthesized")).length
  const speech = sentences?._tag === "reply.ready" && sentences.sentences === spoken ? [] : [`${session}: ${spoken} sentences spoken`]
  return [...common, ...texts, ...has("reply.ready"), ...speech]
}

/** Reads the whole log. */
export const audit = Effect.fnUntraced(function* (sessions: ReadonlyArray<SessionId>) {
  const bus = yield* Bus
  const read = (stream: "CALLS" | "ASSISTANT") => bus.read(stream, { filters: [">"] }).pipe(Stream.mapEffect(logged), Stream.runCollect)
  const events = [...(yield* read("CALLS")), ...(yield* read("ASSISTANT"))]
  const bySession = Map.groupBy(events, ({ event }) => ("session" in event ? event.session : ""))
  const bySubject = Map.groupBy(events, ({ event, subject }) =>
    event._tag === "text.rejected" ? subject.replace("text.rejected", "text.transcribed") : subject
  )
  const dead = yield* bus.count("DLQ", ">")
  const result: Audit = {
    events: events.length,
    lost: sessions.flatMap((session) => missingIn(session, bySession.get(session) ?? [])),
    duplicated: [...bySubject].filter(([, entries]) => entries.length > 1).map(([subject]) => subject),
    dead: dead.size
  }
  return result
})
