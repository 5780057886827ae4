/**
 * The speech that is measured with, made by the local voice on first use and kept in the system's temporary folder:
 * a call of about 149 s between two people, thirty questions of 2-4 s, an hour of calls.
 *
 * A voice draws its intonation at random, so the files are made once; the key of the folder changes with what is said.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { shiftPitch, speakerLayer, synthesize } from "../../actors/speaker/index.ts"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { Cores } from "../../kernel/Cores.ts"
import { encodeOpus, joined, resample, wavBytes } from "../../kernel/Media.ts"
import { CALL, QUESTIONS } from "./Sentences.ts"

/** Everything at once to whoever asks: nothing else computes while fixtures are made. */
export const ungoverned = Layer.succeed(
  Cores,
  Cores.of({
    total: availableParallelism(),
    lease: (request, use) => use({ threads: Math.max(1, Math.min(request.want, availableParallelism())), shrink: () => Effect.void })
  })
)

const VERSION = 1
const folder = join(
  tmpdir(),
  `voxbus-bench-speech-${createHash("sha256")
    .update(JSON.stringify([VERSION, CALL, QUESTIONS]))
    .digest("hex")
    .slice(0, 12)}`
)
const HEADER = 44

/** Seconds of the call; the last line is cut off where it would be longer. */
const CALL_SECONDS = 149
/** The second person is the same voice, lower. */
const PITCH = [1, 0.86]
/** Silence between two lines, seconds, in turn. */
const PAUSES = [0.45, 0.8, 0.3, 1.2]
/** Silence around an utterance: the button is pressed a little early and let go a little late. */
const AROUND = 0.15

const silence = (seconds: number) => new Int16Array(Math.round(seconds * TIMELINE_RATE))

const say = Effect.fnUntraced(function* (text: string, pitch: number) {
  const { pcm, sampleRate } = yield* synthesize(text, "piper-en-us-joe", 1 / pitch)
  return yield* resample(pitch === 1 ? pcm : shiftPitch(pcm, pitch), sampleRate, 1)
})

/** Makes a file once; `make` gives its bytes. */
const once = <E, R>(name: string, make: Effect.Effect<Uint8Array, E, R>) =>
  Effect.gen(function* () {
    const path = join(folder, name)
    if (existsSync(path)) return path
    const bytes = yield* make
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${path}.part`, bytes)
    renameSync(`${path}.part`, path)
    return path
  })

const samplesOf = (path: string): Int16Array => {
  const bytes = readFileSync(path).subarray(HEADER)
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

const voice = speakerLayer.pipe(Layer.provide(ungoverned))

export interface Speech {
  /** 16 kHz mono WAV. */
  readonly path: string
  readonly pcm: Int16Array
  readonly seconds: number
  /** What is said. */
  readonly text: string
}

const speech = (path: string, text: string): Speech => {
  const pcm = samplesOf(path)
  return { path, pcm, seconds: pcm.length / TIMELINE_RATE, text }
}

/** Whole lines until the call is long enough; what they say is beside them. */
const makeCall = Effect.gen(function* () {
  const parts: Array<Int16Array> = []
  let said = 0
  let length = 0
  for (const [index, line] of CALL.entries()) {
    const part = yield* say(line, PITCH[index % 2] ?? 1)
    const pause = silence(PAUSES[index % PAUSES.length] ?? 0)
    if (length + part.length > CALL_SECONDS * TIMELINE_RATE) break
    parts.push(part, pause)
    length += part.length + pause.length
    said += 1
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "call.txt"), CALL.slice(0, said).join(" "))
  return wavBytes(joined(parts), TIMELINE_RATE, 1)
})

/** A call of two people. */
export const call = once("call.wav", makeCall).pipe(
  Effect.map((path) => speech(path, readFileSync(join(folder, "call.txt"), "utf8"))),
  Effect.provide(voice)
)

const makeQuestion = (text: string) =>
  Effect.map(say(text, 1), (pcm) => wavBytes(joined([silence(AROUND), pcm, silence(AROUND)]), TIMELINE_RATE, 1))

/** The first `count` of the thirty questions. */
export const questions = (count = QUESTIONS.length) =>
  Effect.forEach(QUESTIONS.slice(0, count), (text, index) =>
    Effect.map(once(`question-${String(index + 1).padStart(2, "0")}.wav`, makeQuestion(text)), (path) => speech(path, text))
  ).pipe(Effect.provide(voice))

/** The call over and over for an hour, as Opus: what a phone system hands over. Takes a minute to make. */
export const hour = Effect.gen(function* () {
  const { pcm, seconds } = yield* call
  const times = Math.ceil(3600 / seconds)
  const path = yield* once("hour.ogg", encodeOpus(Stream.fromIterable(Array.from({ length: times }, () => pcm))))
  return { path, seconds: times * seconds }
})
