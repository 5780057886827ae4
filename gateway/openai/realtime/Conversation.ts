/**
 * One realtime connection: the session on the log, the items of the conversation, and the one answer that may be running.
 *
 * A spoken turn or a text item is a turn that nobody answers (`until: "text"`); `response.create` is an empty question, which
 * the reasoner answers from everything before it. So one can talk without asking for an answer, as the protocol allows.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ulid } from "ulid"
import { Recorder, type Session } from "../../../actors/capture/index.ts"
import type { EventOf, SessionEvent } from "../../../contract/Events.ts"
import type { SessionConfig } from "../../../contract/Session.ts"
import { Blobs } from "../../../kernel/Blobs.ts"
import { type Failure, Terminal } from "../../../kernel/Failure.ts"
import { pushResamplerTo } from "../../../kernel/Media.ts"
import { given } from "../Chat.ts"
import type { Private } from "../Private.ts"
import { openAiBody, Parameter } from "../Problem.ts"
import { bytesOf, samplesOf } from "../Speech.ts"
import { makeListener, type Noticed } from "./Listener.ts"
import { configOf, initial, type Preferences, shown, updated } from "./Preferences.ts"
import { type ClientEvent, type ClientEventOf, RATE, type ServerEvent } from "./Protocol.ts"
import { type Answer, makeAnswer, type Step } from "./Response.ts"

/** Bytes of a delta of audio, half a second. */
const DELTA_BYTES = RATE

interface Options {
  readonly kind: Preferences["kind"]
  readonly model: string
  readonly base: SessionConfig
  readonly errand: Private
  readonly send: (event: ServerEvent) => Effect.Effect<void>
  /** A voice that is installed, by any of its names. */
  readonly voiceFor: (name: string) => Effect.Effect<string, Failure>
}

/** Lives as long as the scope. */
export const makeRealtime = Effect.fnUntraced(function* ({ kind, model, base, errand, send, voiceFor }: Options) {
  const recorder = yield* Recorder
  const blobs = yield* Blobs
  const resampler = yield* pushResamplerTo(RATE)
  const ids = { session: `sess_${errand.session.session}`, conversation: `conv_${errand.session.session}` }
  const { mode, session } = errand.session
  let wants = initial(kind, base)
  let notes: ReadonlyArray<string> = []
  let lastItem: string | null = null
  /** Spoken turns whose words are not there yet, by unit. */
  const spokenItems = new Map<number, { readonly item: string; readonly seconds: number; readonly respond: boolean }>()
  /** The answer that runs, and its turn once that is on the log. */
  let running: { readonly answer: Answer; unit: number | undefined; readonly wants: Preferences } | undefined
  /** The newest answers, to be cut where the client stopped playing. */
  const answers = new Map<string, { readonly unit: number; readonly answer: Answer }>()

  const sessionFor = (until: SessionConfig["until"], preferences = wants): Session => ({
    mode,
    session,
    config: configOf(base, preferences, until, notes)
  })
  const listener = yield* makeListener(
    recorder,
    Effect.sync(() => sessionFor("text"))
  )

  const itemAdded = Effect.fnUntraced(function* (item: Readonly<Record<string, unknown>> & { readonly id: string }) {
    const previous_item_id = lastItem
    lastItem = item.id
    yield* send({ type: "conversation.item.added", previous_item_id, item })
    yield* send({ type: "conversation.item.done", previous_item_id, item })
  })

  const speak = Effect.fnUntraced(function* (answer: Answer, speech: EventOf<"speech.synthesized">) {
    const pcm = resampler.push(samplesOf(yield* blobs.get(speech, speech.audio)), speech.sampleRate, 1)
    const bytes = bytesOf(pcm)
    for (let at = 0; at < bytes.length && !answer.isOver(); at += DELTA_BYTES)
      yield* send(answer.audio(Buffer.from(bytes.subarray(at, at + DELTA_BYTES)).toString("base64")))
  })

  const perform = (answer: Answer, steps: ReadonlyArray<Step>): Effect.Effect<void> =>
    Effect.forEach(
      steps,
      (step) => {
        if (step._tag === "send") return send(step.event)
        if (step._tag === "over")
          return Effect.suspend(() => {
            if (running?.answer === answer) running = undefined
            return perform(answer, answer.end({ status: "completed" }))
          })
        return speak(answer, step.speech).pipe(
          Effect.catch((failure) =>
            Effect.suspend(() => perform(answer, answer.end({ status: "failed", code: failure.code, message: failure.message })))
          )
        )
      },
      { discard: true }
    )

  const publishCancelled = (unit: number, answer: Answer, reason: EventOf<"turn.cancelled">["reason"]) =>
    errand.publish({ _tag: "turn.cancelled", v: 1, mode, session, unit, generation: answer.generation(), reason })

  /** Puts the empty question on the log once the words of all spoken turns are there. */
  const ask = Effect.suspend((): Effect.Effect<void, Failure> => {
    const now = running
    if (now === undefined || now.unit !== undefined || spokenItems.size > 0) return Effect.void
    now.unit = 0
    return Effect.gen(function* () {
      const { unit } = yield* recorder.typed(sessionFor(now.wants.text ? "reply" : "speech", now.wants), "")
      now.unit = unit
      // It was cancelled while the question went out.
      if (now.answer.isOver()) return yield* publishCancelled(unit, now.answer, "user")
      answers.set(now.answer.ids.item, { unit, answer: now.answer })
    })
  })

  const respond = Effect.fnUntraced(function* (preferences: Preferences) {
    if (running !== undefined)
      return yield* new Terminal({
        code: "input.invalid",
        message: "An answer is being made already; cancel it or wait for response.done."
      })
    const answer = makeAnswer(
      { response: `resp_${ulid()}`, item: `item_${ulid()}`, conversation: ids.conversation, previous: lastItem },
      { text: preferences.text, voice: preferences.voice }
    )
    lastItem = answer.ids.item
    running = { answer, unit: undefined, wants: preferences }
    yield* perform(answer, answer.begin)
    yield* ask
  })

  const cancel = Effect.fnUntraced(function* (reason: "client_cancelled" | "turn_detected") {
    const was = running
    if (was === undefined) return
    running = undefined
    yield* perform(was.answer, was.answer.end({ status: "cancelled", reason }))
    if (was.unit === undefined || was.unit === 0) return
    yield* publishCancelled(was.unit, was.answer, reason === "turn_detected" ? "barge_in" : "user")
  })

  /** What the ear noticed. The item of a turn has its name from the beginning of speech on. */
  let nextItem = `item_${ulid()}`
  const notice = (noticed: ReadonlyArray<Noticed>) =>
    Effect.forEach(
      noticed,
      Effect.fnUntraced(function* (each) {
        if (each._tag === "started") {
          if (wants.detection?.interrupt !== false) yield* cancel("turn_detected")
          return yield* send({ type: "input_audio_buffer.speech_started", audio_start_ms: each.atMs, item_id: nextItem })
        }
        const id = nextItem
        nextItem = `item_${ulid()}`
        const detected = each.stoppedAtMs !== undefined
        if (detected) yield* send({ type: "input_audio_buffer.speech_stopped", audio_end_ms: each.stoppedAtMs, item_id: id })
        const wanted = detected && wants.detection?.respond === true && wants.kind === "realtime"
        spokenItems.set(each.unit, { item: id, seconds: each.seconds, respond: wanted })
        yield* send({ type: "input_audio_buffer.committed", previous_item_id: lastItem, item_id: id })
        yield* itemAdded({
          id,
          object: "realtime.item",
          type: "message",
          role: "user",
          status: "completed",
          content: [{ type: "input_audio", transcript: null }]
        })
      }),
      { discard: true }
    )

  const transcribed = Effect.fnUntraced(function* (unit: number, transcript: string, failure?: EventOf<"error.raised">) {
    const item = spokenItems.get(unit)
    if (item === undefined) return
    spokenItems.delete(unit)
    const at = { item_id: item.item, content_index: 0 }
    yield* failure === undefined
      ? send({
          type: "conversation.item.input_audio_transcription.completed",
          ...at,
          transcript,
          usage: { type: "duration", seconds: item.seconds }
        })
      : send({ type: "conversation.item.input_audio_transcription.failed", ...at, error: openAiBody(failure).error })
    // Of a turn without words there is nothing to answer.
    if (item.respond && transcript !== "" && running === undefined) yield* respond(wants)
    else yield* ask
  })

  const observe = Effect.fnUntraced(function* (event: SessionEvent) {
    const unit = "unit" in event ? event.unit : undefined
    if (event._tag === "text.transcribed" && event.engine !== "typed") return yield* transcribed(event.unit, event.text.trim())
    if (event._tag === "text.rejected") return yield* transcribed(event.unit, "")
    if (event._tag === "error.raised" && unit !== undefined && spokenItems.has(unit)) return yield* transcribed(unit, "", event)
    const now = running
    if (now === undefined || unit === undefined || unit !== now.unit) return
    const steps = now.answer.observe(event)
    yield* perform(now.answer, steps)
    if (now.answer.isOver() && running === now) running = undefined
  })

  const create = Effect.fnUntraced(function* ({ item }: ClientEventOf<"conversation.item.create">) {
    const content = item.content.map(({ text }) => text).join("")
    const id = item.id ?? `item_${ulid()}`
    if (item.role === "system") notes = [...notes, content]
    else if (item.role === "user") yield* recorder.typed(sessionFor("text"), content)
    else {
      const { unit } = yield* recorder.typed(sessionFor("text"), "")
      yield* errand.publish(given(errand.session, unit, content))
    }
    yield* itemAdded({ id, object: "realtime.item", type: "message", role: item.role, status: "completed", content: item.content })
  })

  /** What was really played counts as heard. */
  const truncate = Effect.fnUntraced(function* ({ item_id, audio_end_ms }: ClientEventOf<"conversation.item.truncate">) {
    const found = answers.get(item_id)
    if (found === undefined) return yield* new Parameter("item_id", "There is no answer with this item_id.")
    let left = audio_end_ms
    let samples = 0
    let sentences = 0
    for (const each of found.answer.spoken) {
      const ms = (each.samples * 1000) / each.sampleRate
      samples += Math.round(each.samples * Math.max(0, Math.min(1, left / Math.max(1, ms))))
      if (left >= ms) sentences += 1
      left -= ms
    }
    yield* errand.publish({
      _tag: "speech.interrupted",
      v: 1,
      mode,
      session,
      unit: found.unit,
      generation: found.answer.generation(),
      samples,
      sentences
    })
    yield* send({ type: "conversation.item.truncated", item_id, content_index: 0, audio_end_ms })
  })

  const show = (type: "session.created" | "session.updated") =>
    send({ type, session: shown(ids.session, model, wants, base.reasoner.systemPrompt) })

  return {
    start: show("session.created"),
    follow: errand.all.pipe(
      Stream.runForEach((event) => observe(event).pipe(Effect.catch((failure) => send({ type: "error", ...openAiBody(failure) }))))
    ),
    receive: Effect.fnUntraced(function* (event: ClientEvent): Effect.fn.Return<void, Failure> {
      switch (event.type) {
        case "session.update": {
          const voice = event.session.audio?.output?.voice
          wants = updated(wants, event.session, voice === undefined || voice === null ? undefined : yield* voiceFor(voice))
          return yield* show("session.updated")
        }
        case "input_audio_buffer.append":
          return yield* Effect.flatMap(listener.append(event.audio, wants.detection), notice)
        case "input_audio_buffer.commit":
          return yield* Effect.flatMap(listener.commit, notice)
        case "input_audio_buffer.clear":
          yield* listener.clear
          return yield* send({ type: "input_audio_buffer.cleared" })
        case "conversation.item.create":
          return yield* create(event)
        case "conversation.item.truncate":
          return yield* truncate(event)
        case "response.create": {
          const { instructions, output_modalities, max_output_tokens } = event.response ?? {}
          return yield* respond(
            updated(
              wants,
              {
                ...(instructions === undefined ? {} : { instructions }),
                ...(output_modalities === undefined ? {} : { output_modalities }),
                ...(max_output_tokens === undefined ? {} : { max_output_tokens })
              },
              undefined
            )
          )
        }
        case "response.cancel":
          if (running === undefined)
            return yield* new Terminal({ code: "input.invalid", message: "No answer is being made: there is nothing to cancel." })
          return yield* cancel("client_cancelled")
      }
    })
  }
})
