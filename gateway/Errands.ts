/**
 * Single requests to one actor, for protocols that have no conversation: speak this, write down that, answer this question.
 * Each is a session of its own on the log, like any other, and does only what was asked: a turn that is cancelled before
 * it begins is transcribed and not answered; an answer for the voice `browser` is not spoken.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Recorder, type Session } from "../actors/capture/index.ts"
import type { Event, EventOf } from "../contract/Events.ts"
import type { SessionConfig } from "../contract/Session.ts"
import { Blobs } from "../kernel/Blobs.ts"
import { Bus, type Bytes } from "../kernel/Bus.ts"
import { encode } from "../kernel/Envelope.ts"
import type { Failure } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { orFailure, sessionEvents } from "./SessionEvents.ts"
import { type Format, makeUtterance } from "./Utterance.ts"

const MODE = "assistant"
const UNIT = 1

/** Audio of one sentence, `s16le` mono. */
export interface Spoken {
  readonly pcm: Bytes
  readonly sampleRate: number
}

export interface Speech {
  /** One sentence more. */
  readonly say: (sentence: string) => Effect.Effect<void, Failure>
  /** That was all; `audio` ends with the last one. */
  readonly end: Effect.Effect<void>
  /** In order, as soon as each is there. */
  readonly audio: Stream.Stream<Spoken, Failure>
}

export interface Hearing {
  /** `s16le` samples. */
  readonly frame: (pcm: Bytes) => Effect.Effect<void, Failure>
  /** What was said; empty when there were no words. */
  readonly finish: Effect.Effect<string, Failure>
}

export interface Errands {
  readonly speak: (options: { readonly voice?: string; readonly speed?: number }) => Effect.Effect<Speech, Failure, Scope.Scope>
  readonly hear: (format: Format, language?: string) => Effect.Effect<Hearing, Failure, Scope.Scope>
  /** A session for questions that belong together; closed with the scope. */
  readonly converse: (language?: string) => Effect.Effect<(question: string) => Effect.Effect<string, Failure>, Failure, Scope.Scope>
}

/** Sentences of a text; what has no letter or digit is none. */
export const sentencesOf = (text: string): ReadonlyArray<string> =>
  [...new Intl.Segmenter(undefined, { granularity: "sentence" }).segment(text)]
    .map(({ segment }) => segment.trim())
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence))

/** `en-US` as `en`; what is no language code is nothing. */
const languageCode = (language: string | undefined): string | undefined => /^[a-z]{2,3}(?=$|[-_])/.exec(language?.toLowerCase() ?? "")?.[0]

export const makeErrands = Effect.gen(function* () {
  const bus = yield* Bus
  const blobs = yield* Blobs
  const recorder = yield* Recorder
  const settings = yield* Settings

  const publish = Effect.fnUntraced(function* (event: Event, id: string) {
    yield* bus.publish(yield* encode(event, { actor: "gateway", cause: "", messageId: `gateway:${id}` }))
  })

  const open = (title: string, adapt: (config: SessionConfig) => SessionConfig) =>
    Effect.acquireRelease(
      Effect.flatMap(settings.reload, ({ session }) =>
        recorder.open({ mode: MODE, title, source: { kind: "stream", name: "program" }, config: adapt(session) })
      ),
      (session) => recorder.close(session, "complete").pipe(Effect.timeoutOption("2 seconds"), Effect.ignore)
    )

  /** Events of the session from the first on; fails with what an actor could not do, and when nothing comes for too long. */
  const eventsOf = ({ session }: Session) => orFailure(sessionEvents(bus, MODE, session))

  const withLanguage = (language: string | undefined) => (config: SessionConfig) => {
    const code = languageCode(language)
    return code === undefined ? config : { ...config, transcriber: { ...config.transcriber, language: code } }
  }

  const speak: Errands["speak"] = Effect.fnUntraced(function* ({ voice, speed }) {
    const session = yield* open("Speech", (config) => ({
      ...config,
      speaker: { ...config.speaker, ...(voice === undefined ? {} : { voice }), ...(speed === undefined ? {} : { speed }) }
    }))
    const ended = yield* Deferred.make<void>()
    let said = 0
    let all = Number.POSITIVE_INFINITY
    let heard = 0
    const spoken = (event: EventOf<"speech.synthesized">) =>
      Effect.map(blobs.get(event, event.audio), (pcm): Spoken => ({ pcm, sampleRate: event.sampleRate }))
    const speeches = eventsOf(session).pipe(
      Stream.filter((event) => event._tag === "speech.synthesized"),
      Stream.mapEffect(spoken)
    )
    // The end may be known only after the last sentence was heard.
    const end = Stream.fromEffect(Deferred.await(ended)).pipe(Stream.map(() => undefined))
    const audio = Stream.merge(speeches, end).pipe(
      Stream.tap((each) => Effect.sync(() => void (heard += each === undefined ? 0 : 1))),
      Stream.takeUntil(() => heard >= all),
      Stream.filter((each): each is Spoken => each !== undefined)
    )
    return {
      say: (text) =>
        Effect.suspend(() => {
          said += 1
          const drafted: EventOf<"reply.drafted"> = {
            _tag: "reply.drafted",
            v: 1,
            mode: MODE,
            session: session.session,
            unit: UNIT,
            sentence: said,
            text,
            generation: 0,
            config: session.config
          }
          return publish(drafted, `${session.session}:say:${said}`)
        }),
      end: Effect.suspend(() => {
        all = said
        return Effect.asVoid(Deferred.succeed(ended, undefined))
      }),
      audio
    } satisfies Speech
  })

  const hear: Errands["hear"] = Effect.fnUntraced(function* (format, language) {
    const session = yield* open("Dictation", withLanguage(language))
    const cancelled: EventOf<"turn.cancelled"> = {
      _tag: "turn.cancelled",
      v: 1,
      mode: MODE,
      session: session.session,
      unit: UNIT,
      generation: 0,
      reason: "user"
    }
    // Nobody wants an answer: said before the turn begins.
    yield* publish(cancelled, `${session.session}:unanswered`)
    const utterance = makeUtterance(yield* recorder.take(session, format), format)
    const words = eventsOf(session).pipe(
      Stream.filter((event) => event._tag === "text.transcribed" || event._tag === "text.rejected"),
      Stream.take(1),
      Stream.map((event) => (event._tag === "text.transcribed" ? event.text.trim() : "")),
      Stream.runCollect
    )
    return {
      frame: utterance.frame,
      finish: Effect.andThen(
        utterance.finish,
        Effect.map(words, ([text = ""]) => text)
      )
    } satisfies Hearing
  })

  const converse: Errands["converse"] = Effect.fnUntraced(function* (language) {
    const session = yield* open("Conversation", (config) => ({
      ...withLanguage(language)(config),
      speaker: { ...config.speaker, engine: "browser" }
    }))
    return Effect.fnUntraced(function* (question: string) {
      const { unit } = yield* recorder.typed(session, question)
      const answers = yield* eventsOf(session).pipe(
        Stream.filter((event) => event._tag === "reply.ready" && event.unit === unit),
        Stream.take(1),
        Stream.runCollect
      )
      const [answer] = answers
      return answer?._tag === "reply.ready" ? answer.text : ""
    })
  })

  return { speak, hear, converse } satisfies Errands
})

/** All of a text at once. */
export const spokenText = Effect.fnUntraced(function* (
  errands: Errands,
  text: string,
  options: { readonly voice?: string; readonly speed?: number } = {}
): Effect.fn.Return<ReadonlyArray<Spoken>, Failure> {
  const sentences = sentencesOf(text)
  if (sentences.length === 0) return []
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const speech = yield* errands.speak(options)
      yield* Effect.forEach(sentences, speech.say, { discard: true })
      yield* speech.end
      return yield* Stream.runCollect(speech.audio)
    })
  )
})
