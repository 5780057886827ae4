/**
 * Plays the sentences of one answer on this machine as they are spoken, and says on the log how much was heard. Through
 * PulseAudio's `pacat` (PipeWire has it too); where there is none the answer is text only.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import type { Event, EventOf } from "../../contract/Events.ts"
import type { SessionId } from "../../contract/Session.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { withoutKeys } from "../../kernel/Keys.ts"
import { follow } from "../Call.ts"
import { heardOf } from "./Conversations.ts"

type Speech = EventOf<"speech.synthesized">

/** Returns when the last sample was heard. Interrupted, it is silent at once. False where nothing can play. */
const play = (pcm: Uint8Array, sampleRate: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const args = ["--playback", "--raw", "--format=s16le", "--channels=1", `--rate=${sampleRate}`, "--latency-msec=60"]
    // It ends with us: its standard input does.
    const child = spawn("pacat", [...args, "--client-name=voxbus"], { stdio: ["pipe", "ignore", "ignore"], env: withoutKeys(process.env) })
    child.once("error", () => resume(Effect.succeed(false)))
    child.once("exit", (code) => resume(Effect.succeed(code === 0)))
    child.stdin?.on("error", () => undefined)
    child.stdin?.end(pcm)
    return Effect.sync(() => void child.kill("SIGKILL"))
  })

/** Nothing follows but speech that is on its way. */
const ends = (event: Event): boolean =>
  event._tag === "text.rejected" || event._tag === "turn.cancelled" || (event._tag === "error.raised" && event.actor !== "speaker")

/** Plays the answer of a turn to its end; a sentence whose speech failed ends it. */
export const playAnswer = (session: SessionId, unit: number) =>
  Effect.gen(function* () {
    const blobs = yield* Blobs
    const waiting = new Map<number, Speech>()
    let sentences: number | undefined
    let heard = 0
    let samples = 0
    let playingSince: { readonly at: number; readonly rate: number } | undefined

    const due = Effect.gen(function* () {
      for (let next = waiting.get(heard + 1); next !== undefined; next = waiting.get(heard + 1)) {
        if (next.samples > 0) {
          const pcm = yield* blobs.get(next, next.audio)
          playingSince = { at: yield* Clock.currentTimeMillis, rate: next.sampleRate }
          if (!(yield* play(pcm, next.sampleRate))) yield* Effect.logWarning("the answer cannot be played here; is pacat installed?")
          playingSince = undefined
        }
        samples += next.samples
        heard += 1
      }
    })

    const report = (interrupted: boolean) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const more = playingSince === undefined ? 0 : Math.round(((now - playingSince.at) * playingSince.rate) / 1000)
        if (heard > 0 || more > 0) yield* heardOf(session, unit, { sentences: heard, samples: samples + more, interrupted })
      })

    yield* follow("assistant", session).pipe(
      Stream.map(({ event }) => event),
      Stream.filter((event) => "unit" in event && event.unit === unit),
      Stream.takeUntil(ends),
      Stream.mapEffect((event) => {
        if (event._tag === "reply.ready") sentences = event.sentences
        if (event._tag === "speech.synthesized") waiting.set(event.sentence, event)
        if (event._tag === "error.raised" && event.actor === "speaker") sentences = Math.min(sentences ?? heard, heard)
        return due
      }),
      Stream.takeUntil(() => sentences !== undefined && heard >= sentences),
      Stream.runDrain,
      Effect.onInterrupt(() => Effect.ignore(report(true)))
    )
    yield* report(sentences === undefined || heard < sentences)
  }).pipe(Effect.catch((failure) => Effect.logWarning("an answer was not played").pipe(Effect.annotateLogs({ reason: failure.message }))))
