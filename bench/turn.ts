/**
 * P3, P4 and P9: from the end of speech to the first byte of the answer's audio at a WebSocket client.
 *
 *   node bench/turn.ts [--turns 30] [--release 0] [--during-call] [--json]
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { availableParallelism } from "node:os"
import { TIMELINE_RATE } from "../contract/Events.ts"
import { defaultSessionConfig } from "../contract/Session.ts"
import { Bus } from "../kernel/Bus.ts"
import { logged } from "../kernel/Envelope.ts"
import { wordErrorRate } from "../kernel/testkit/WordErrors.ts"
import { reach } from "../launcher/Access.ts"
import { queue } from "../launcher/Call.ts"
import { bench } from "./support/Bench.ts"
import { hour, questions, type Speech } from "./support/Fixtures.ts"
import { type Instance, startInstance } from "./support/Instance.ts"
import { quantiles, round, sum } from "./support/Stats.ts"
import { now } from "./support/Socket.ts"
import { conversation } from "./support/Talk.ts"
import { type StageName, type Stages, stagesFromLog } from "./support/TurnLog.ts"

const METHOD = `A fresh instance with its default models, nothing remote. A client connects to the gateway's WebSocket and speaks
generated questions of 2-4 s as 16 kHz PCM in frames of 40 ms, in real time, one conversation, and hears
each answer out. With --release the button is let go so many milliseconds after the last sample, in which there is silence: a hand
needs 200 to 400. A turn is from just before utterance.end is sent until the first binary byte of audio is received. The first turn is not counted, and printed apart.
The breakdown is out of the event log; compute times are those the engines put into their events. busAndActors is the total
without what the three engines computed. With --during-call the turns are spoken again while two calls of one hour each are
transcribed, and the call's throughput is measured before and during them.`

const STAGES: ReadonlyArray<readonly [StageName, string]> = [
  ["capture", "end of speech to audio.captured"],
  ["normalize", "to audio.normalized"],
  ["speechToText", "to text.transcribed"],
  ["speechToTextCompute", "  computed by the engine"],
  ["speechToTextAhead", "  of it ahead of the end of speech"],
  ["answerAhead", "  the answer was begun so much earlier"],
  ["firstSentence", "to the first reply.drafted"],
  ["firstToken", "  the model's first token"],
  ["firstSentenceCompute", "  computed by the model"],
  ["textToSpeech", "to the first speech.synthesized"],
  ["textToSpeechCompute", "  computed by the voice"],
  ["firstByte", "to the first byte at the client"],
  ["busAndActors", "bus and actors"]
]
/** Turns at the beginning and at the end that are looked at apart: a conversation grows. */
const APART = 10

const summary = (counted: ReadonlyArray<Stages>) => {
  const quantilesOf = (name: StageName) => quantiles(counted.map((stages) => stages[name]))
  return {
    turns: counted.length,
    ...quantilesOf("total"),
    /** One after the other, but for the first token, which is on the way to the first sentence. */
    breakdown: {
      capture: quantilesOf("capture"),
      stt: quantiles(counted.map(({ normalize, speechToText }) => normalize + speechToText)),
      firstToken: quantilesOf("firstToken"),
      firstSentence: quantilesOf("firstSentence"),
      tts: quantilesOf("textToSpeech"),
      firstByte: quantilesOf("firstByte")
    },
    detail: Object.fromEntries(STAGES.filter(([name]) => name !== "busAndActors").map(([name]) => [name, quantilesOf(name)])),
    busAndActors: quantilesOf("busAndActors"),
    promptTokens: quantilesOf("promptTokens"),
    firstSentenceCharacters: quantilesOf("firstSentenceCharacters"),
    firstTurns: quantiles(counted.slice(0, APART).map(({ total }) => total)),
    lastTurns: quantiles(counted.slice(-APART).map(({ total }) => total))
  }
}

const print = (title: string, counted: ReadonlyArray<Stages>, say: (line: string) => void) => {
  const { turns, p50, p95, firstTurns, lastTurns, promptTokens, firstSentenceCharacters } = summary(counted)
  say(`\n  ${title}: ${turns} turns, end of speech to first byte p50 ${p50} ms, p95 ${p95} ms`)
  for (const [name, means] of STAGES) {
    const stage = quantiles(counted.map((stages) => stages[name]))
    say(`    ${means.padEnd(34)} p50 ${String(stage.p50).padStart(7)} ms   p95 ${String(stage.p95).padStart(7)} ms`)
  }
  say(`    the first ${APART} turns p50 ${firstTurns.p50} ms, the last ${APART} p50 ${lastTurns.p50} ms`)
  say(
    `    prompts of ${promptTokens.p50} tokens (95 %: ${promptTokens.p95}), first sentences of ${firstSentenceCharacters.p50} characters (95 %: ${firstSentenceCharacters.p95})`
  )
}

/** With silence until the button is let go. */
const heldOn = (speech: Speech, ms: number): Speech => {
  const pcm = new Int16Array(speech.pcm.length + (ms * TIMELINE_RATE) / 1000)
  pcm.set(speech.pcm)
  return { ...speech, pcm }
}

/** All turns of one conversation; the first is apart. */
const turns = Effect.fnUntraced(function* (
  instance: Instance,
  speeches: ReadonlyArray<Speech>,
  listen: boolean,
  say: (line: string) => void
) {
  const { session, turns: talked } = yield* conversation(instance, speeches, {
    listen,
    onTurn: ({ turn, endAt, firstByteAt }) => say(`  turn ${turn}: ${round(firstByteAt - endAt)} ms`)
  })
  const [first, ...counted] = yield* stagesFromLog(session, talked)
  const said = speeches.map(({ text }) => text).join(" ")
  const wer = round(100 * wordErrorRate(said, talked.map(({ transcript }) => transcript).join(" ")), 2)
  return { first, counted, werPercent: wer, begunAt: talked[0]?.endAt ?? 0, endedAt: talked.at(-1)?.firstByteAt ?? 0 }
})

/** Seconds of the throughput measured before the turns. */
const BEFORE = 30

/** Two hours of calls, being transcribed: seconds of audio by the time they were done. */
const longCalls = Effect.gen(function* () {
  const bus = yield* Bus
  const { path } = yield* hour
  const done: Array<{ readonly at: number; readonly seconds: number }> = []
  const settled = bus.tail("CALLS", { filters: ["text.*.call.>"], from: "new" }).pipe(
    Stream.mapEffect(logged),
    Stream.runForEach(({ event, time }) =>
      Effect.sync(() => {
        if ("start" in event && "end" in event) done.push({ at: time, seconds: (event.end - event.start) / TIMELINE_RATE })
      })
    )
  )
  const watching = yield* Effect.forkScoped(settled)
  for (const title of ["first hour", "second hour"])
    yield* queue({ mode: "call", kind: "import", path, title, config: defaultSessionConfig })
  // The decoding of a call takes a core at its beginning; the turns are to meet the transcription.
  yield* Effect.sync(() => done.length).pipe(Effect.delay("500 millis"), Effect.repeat({ until: (count) => count >= 4 }))
  return {
    /** Seconds of audio transcribed in a second. */
    speed: (from: number, to: number) =>
      round(sum(done.filter(({ at }) => at >= from && at < to).map(({ seconds }) => seconds)) / ((to - from) / 1000), 2),
    stop: Fiber.interrupt(watching)
  }
})

bench({
  name: "turn",
  method: METHOD,
  options: {
    turns: { default: 30, means: "counted turns" },
    "during-call": { default: false, means: "speak them again while calls are transcribed (P9)" },
    release: { default: 0, means: "milliseconds from the last sample until the button is let go" },
    impatient: { default: false, means: "ask the next question before the answer is heard out" },
    cores: { default: availableParallelism(), means: "the core budget" }
  },
  run: Effect.fnUntraced(function* ({ turns: count, cores, "during-call": duringCall, impatient, release }, say) {
    const known = (yield* questions()).map((speech) => heldOn(speech, release))
    const speeches = Array.from({ length: count + 1 }, (_, index) => known[index % known.length]).filter((speech) => speech !== undefined)
    // Before the clock of anything runs: it takes a minute to make.
    if (duringCall) yield* hour
    const instance = yield* startInstance({ env: { VOXBUS_CORES: String(cores) } })
    const bus = yield* reach([])
    const idle = yield* turns(instance, speeches, !impatient, say).pipe(Effect.provide(bus))
    print("idle", idle.counted, say)
    say(`    first turn of the instance ${round(idle.first?.total ?? 0)} ms; WER of the questions ${idle.werPercent} %`)
    const result = { ...summary(idle.counted), firstTurnMs: round(idle.first?.total ?? 0), werPercent: idle.werPercent }
    if (!duringCall) return result

    const calls = yield* longCalls.pipe(Effect.provide(bus))
    const before = now()
    yield* Effect.sleep(BEFORE * 1000)
    const alone = calls.speed(before, now())
    const busy = yield* turns(instance, speeches, !impatient, say).pipe(Effect.provide(bus))
    const beside = calls.speed(busy.begunAt, busy.endedAt)
    yield* calls.stop
    print("during two calls of an hour", busy.counted, say)
    const ratio = round(summary(busy.counted).p50 / result.p50, 2)
    say(`    p50 is ${ratio} times the idle one; the calls went on at ${beside} times real time (${alone} without turns)`)
    return { ...result, duringCall: { ...summary(busy.counted), ratio, callSpeed: { alone, beside } } }
  })
})
