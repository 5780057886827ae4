/**
 * An uploaded file to a transcript, through the bus.
 *
 * Up to a minute of audio is an utterance: decoded here, in the interactive lane, with an encoder window as short as what was
 * said; its session is forgotten after the answer. Anything longer is a call: cut in silences, in the batch lane, so that nobody
 * who talks waits for it, and with the text of each chunk as it is ready. A call is finished (bundle and all) also when the
 * client goes away or the program is stopped, and then erased like by `voxbus delete`.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { mkdir, readdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Recorder } from "../../actors/capture/index.ts"
import { type Event, type SessionEvent, TIMELINE_RATE, Transcript } from "../../contract/Events.ts"
import type { SessionConfig } from "../../contract/Session.ts"
import { DeleteSession } from "../../contract/SessionCommands.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Bus } from "../../kernel/Bus.ts"
import { call } from "../../kernel/Commands.ts"
import { encode } from "../../kernel/Envelope.ts"
import { describe, type Failure, Retryable, Terminal } from "../../kernel/Failure.ts"
import { decodeToTimeline, joined } from "../../kernel/Media.ts"
import { Settings } from "../../kernel/Settings.ts"
import { traceparent } from "../../kernel/Trace.ts"
import { raised, sessionEvents, stalled } from "../SessionEvents.ts"
import { makePrivate } from "./Private.ts"
import { transcriptOf } from "./Transcript.ts"

/** Samples up to which audio is an utterance, a minute. */
const UTTERANCE = 60 * TIMELINE_RATE

/** Without any event for so long nobody works on a call any more. */
const IDLE = "10 minutes"

/** A failure of these ends a call; of others it is a gap in it. */
const FATAL = ["capture", "normalizer", "bundler"]

/** Text as it gets ready, then everything. */
export type Heard = { readonly _tag: "Delta"; readonly text: string } | { readonly _tag: "Whole"; readonly transcript: Transcript }

const decodeTranscript = Schema.decodeUnknownEffect(Schema.fromJsonString(Transcript))

/** The samples when there is at most a minute of them. */
const shortOf = (path: string): Effect.Effect<Int16Array | undefined, Failure> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { samples } = yield* decodeToTimeline({ kind: "file", path })
      const blocks: Array<Int16Array> = []
      let total = 0
      yield* Stream.runForEachWhile(samples, (block) =>
        Effect.sync(() => {
          blocks.push(block)
          total += block.length
          return total <= UTTERANCE
        })
      )
      return total > UTTERANCE ? undefined : joined(blocks)
    })
  )

/** Lives as long as the gateway. */
export const makeTranscribe = Effect.gen(function* () {
  const bus = yield* Bus
  const blobs = yield* Blobs
  const recorder = yield* Recorder
  const { home } = yield* Settings
  const outer = yield* Effect.scope
  const open = yield* makePrivate

  const utterance = Effect.fnUntraced(function* (
    pcm: Int16Array,
    config: SessionConfig
  ): Effect.fn.Return<Stream.Stream<Heard, Failure>, Failure, Scope.Scope> {
    const errand = yield* open("Transcription", { ...config, until: "text" })
    const { mode, session } = errand.session
    const bytes = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength)
    const blob = yield* blobs.put(errand.session, bytes, `audio/x-pcm;rate=${TIMELINE_RATE}`)
    yield* errand.publish({
      _tag: "audio.captured",
      v: 1,
      mode,
      session,
      unit: 1,
      audio: { blob },
      codec: "pcm_s16le",
      sampleRate: TIMELINE_RATE,
      channels: 1,
      samples: pcm.length,
      config: { ...config, until: "text" }
    })
    const at = new Date(yield* Clock.currentTimeMillis).toISOString()
    return errand.events.pipe(
      Stream.filter((event) => event._tag === "text.transcribed" || event._tag === "text.rejected"),
      Stream.take(1),
      Stream.tap(() => errand.done),
      Stream.flatMap((event) => {
        const transcript = transcriptOf(event, pcm.length, at)
        const whole: Heard = { _tag: "Whole", transcript }
        return transcript.text === "" ? Stream.make(whole) : Stream.make<[Heard, Heard]>({ _tag: "Delta", text: transcript.text }, whole)
      })
    )
  })

  const follow = (session: string): Stream.Stream<SessionEvent, Failure> =>
    sessionEvents(bus, "call", session).pipe(
      Stream.tap((event) => (event._tag === "error.raised" && FATAL.includes(event.actor) ? raised(event) : Effect.void))
    )

  /** Names of the calls that are still to be erased: one that a crash left is found by it. */
  const pending = join(home, "v1", "pending")
  const mark = (session: string) =>
    Effect.tryPromise({
      try: async () => {
        await mkdir(pending, { recursive: true, mode: 0o700 })
        await writeFile(join(pending, session), "", { mode: 0o600 })
      },
      catch: (cause) => new Retryable({ code: "disk.full", message: `The home cannot be written: ${describe(cause)}.`, cause })
    })

  /** Erases a call once nobody works on it any more. */
  const eraseLater = (session: string, as: string) =>
    follow(session).pipe(
      Stream.timeout(IDLE),
      Stream.takeUntil((event) => event._tag === "bundle.ready"),
      Stream.runDrain,
      Effect.ignore,
      Effect.andThen(call(DeleteSession, { session, force: true }, { as, timeoutMs: 60_000 })),
      Effect.catch((failure) =>
        failure.code === "session.unknown"
          ? Effect.void
          : Effect.andThen(
              Effect.logWarning("a call of the API is not erased yet").pipe(Effect.annotateLogs({ session, code: failure.code })),
              Effect.fail(failure)
            )
      ),
      Effect.andThen(Effect.promise(() => rm(join(pending, session), { force: true }))),
      Effect.ignore,
      Effect.provideService(Bus, bus),
      Effect.forkIn(outer)
    )

  const left = yield* Effect.promise(() => readdir(pending).catch((): ReadonlyArray<string> => []))
  yield* Effect.forEach(left, (session) => eraseLater(session, "voxbus"), { discard: true })

  const longCall = Effect.fnUntraced(function* (
    path: string,
    wanted: SessionConfig,
    as: string
  ): Effect.fn.Return<Stream.Stream<Heard, Failure>, Failure, Scope.Scope> {
    const config: SessionConfig = {
      ...wanted,
      keywords: [],
      afterCall: { ...wanted.afterCall, summarize: false },
      outputFolder: join(home, "v1")
    }
    const publish = Effect.fnUntraced(function* (event: Event, id: string) {
      yield* bus.publish(yield* encode(event, { actor: "gateway", cause: "", messageId: `gateway:${id}`, headers: yield* traceparent }))
    })
    const owner = yield* recorder.open({ mode: "call", title: "Transcription", source: { kind: "file", name: "upload" }, config })
    const { session } = owner
    yield* mark(session)
    const blob = yield* blobs.putFile(owner, path, "application/octet-stream")
    yield* publish(
      { _tag: "audio.captured", v: 1, mode: "call", session, unit: 1, audio: { blob }, codec: "file", config },
      `${session}:captured`
    )
    yield* recorder.close(owner, "complete")
    yield* eraseLater(session, as)
    /** Text of chunks that came before their turn. */
    const settled = new Map<number, string>()
    let next = 1
    const inOrder = (event: SessionEvent): ReadonlyArray<Heard> => {
      if ((event._tag !== "text.transcribed" && event._tag !== "text.rejected") || event.version !== undefined) return []
      settled.set(event.unit, event._tag === "text.transcribed" ? event.text.trim() : "")
      const ready: Array<Heard> = []
      for (let text = settled.get(next); text !== undefined; text = settled.get((next += 1)))
        if (text !== "") ready.push({ _tag: "Delta", text: next === 1 ? text : ` ${text}` })
      return ready
    }
    return follow(session).pipe(
      Stream.timeoutOrElse({ duration: IDLE, orElse: () => Stream.fail<Failure>(stalled) }),
      Stream.takeUntil((event) => event._tag === "transcript.completed"),
      Stream.flatMap((event): Stream.Stream<Heard, Failure> => {
        if (event._tag !== "transcript.completed") return Stream.fromIterable(inOrder(event))
        return Stream.fromEffect(
          blobs.get(owner, event.transcript).pipe(
            Effect.flatMap((bytes) => decodeTranscript(new TextDecoder().decode(bytes))),
            Effect.mapError((cause) =>
              cause._tag === "SchemaError"
                ? new Terminal({ code: "event.invalid", message: "The stored transcript does not match its schema.", cause })
                : cause
            ),
            Effect.map((transcript): Heard => ({ _tag: "Whole", transcript }))
          )
        )
      })
    )
  })

  /** @param as who asks, for the audit log */
  return Effect.fnUntraced(function* (
    path: string,
    config: SessionConfig,
    as: string
  ): Effect.fn.Return<Stream.Stream<Heard, Failure>, Failure, Scope.Scope> {
    const short = yield* shortOf(path)
    return yield* short === undefined ? longCall(path, config, as) : utterance(short, config)
  })
})
