/**
 * Who says what in a call that is transcribed: a late and separate actor. What it finds is an event beside the
 * transcript; when it fails there is none, and the transcript, the bundle and the folder are as they are.
 *
 * Recordings of two channels are told apart by channel. Others are left alone where there is no model of voices.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Transcript, type Event, type EventOf } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import * as Media from "../../kernel/Media.ts"
import { byChannel, makeMeter } from "./Channels.ts"

type Completed = EventOf<"transcript.completed">
type Captured = EventOf<"audio.captured">

const decodeTranscript = Schema.decodeUnknownEffect(Schema.fromJsonString(Transcript))

const transcriptOf = Effect.fnUntraced(function* (event: Completed) {
  const bytes = yield* (yield* Blobs).get(event, event.transcript)
  return yield* decodeTranscript(new TextDecoder().decode(bytes)).pipe(
    Effect.mapError((cause) => new Terminal({ code: "event.invalid", message: "The transcript of this call cannot be read.", cause }))
  )
})

/** What both channels of an imported file hold, frame by frame. */
const measured = Effect.fnUntraced(function* (captured: Captured): Effect.fn.Return<ReadonlyArray<number>, Failure, Blobs | Scope.Scope> {
  if (!("blob" in captured.audio)) return []
  const meter = makeMeter()
  const stereo = yield* Media.decodeStereo({ kind: "bytes", chunks: (yield* Blobs).stream(captured, captured.audio.blob) })
  yield* Stream.runForEach(stereo, (block) => Effect.sync(() => meter.push(block)))
  return meter.energies()
})

const diarize = Effect.fnUntraced(function* (
  event: Completed,
  context: Actor.ActorContext
): Effect.fn.Return<ReadonlyArray<Event>, Failure, Blobs | Scope.Scope> {
  const startedAt = performance.now()
  const log = yield* context.history(["audio.captured", "audio.completed"])
  const captured = log.flatMap((entry) => (entry.event._tag === "audio.captured" ? [entry.event] : []))
  const stereo = log.some((entry) => entry.event._tag === "audio.completed" && entry.event.sourceChannels === 2)
  const [file, ...more] = captured
  // A recording of frames has its speakers from its own chunks.
  if (!stereo || file === undefined || more.length > 0 || event.segments === 0) return []
  const { segments } = yield* transcriptOf(event)
  const found = byChannel(segments, yield* measured(file))
  if (found === undefined) return []
  const { mode, session, version } = event
  return [
    {
      _tag: "transcript.diarized",
      v: 1,
      mode,
      session,
      version,
      method: "channels",
      ...found,
      computeMs: Math.round(performance.now() - startedAt)
    }
  ]
})

export const diarizerActor = Actor.make<Blobs>({
  name: "diarizer",
  logicVersion: 1,
  consumes: [{ mode: "call", tags: ["transcript.completed"], concurrency: 1 }],
  publishes: ["transcript.diarized"],
  handle: (event, context) =>
    event._tag === "transcript.completed"
      ? Stream.unwrap(Effect.map(diarize(event, context), Stream.fromIterable)).pipe(Stream.scoped)
      : Stream.empty
})
