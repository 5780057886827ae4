/**
 * OpenAI's transcription endpoint, or any server that has it (`/audio/transcriptions`, multipart). The audio leaves the
 * machine, so nothing uses it unless a session or a chain names it.
 *
 * Limits of the service: 25 MB a file, which as WAV is 13 minutes; longer requests are cut in their silences before.
 * Gotcha: `verbose_json` gives words without punctuation, and the newer models give no times at all. The text is the
 * truth: times are laid over it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Word } from "../../../contract/Events.ts"
import { type Failure, Terminal } from "../../../kernel/Failure.ts"
import { wavBytes } from "../../../kernel/media/Wav.ts"
import { type Endpoint, json } from "../../../kernel/ProviderHttp.ts"
import type { Engine, EngineRequest, EngineResult } from "../Engine.ts"

export interface Transcription {
  readonly endpoint: Endpoint
  readonly model: string
  readonly totalMs: number
}

/** 13 minutes: 24.96 MB, below the 25 MB of the service and the 15 minutes at which quality falls. */
export const LONGEST_REMOTE = 780 * 16_000
const MOST_BYTES = 25_000_000

const Verbose = Schema.Struct({
  text: Schema.String,
  language: Schema.optionalKey(Schema.String),
  words: Schema.optionalKey(Schema.Array(Schema.Struct({ word: Schema.String, start: Schema.Finite, end: Schema.Finite }))),
  segments: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        start: Schema.Finite,
        end: Schema.Finite,
        avg_logprob: Schema.optionalKey(Schema.Finite),
        no_speech_prob: Schema.optionalKey(Schema.Finite)
      })
    )
  )
})
type Verbose = typeof Verbose.Type

/** Whisper's languages; the service answers with their English names. */
const CODES =
  "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt ln ha ba su"
const names = new Intl.DisplayNames(["en"], { type: "language" })
const BY_NAME: ReadonlyMap<string, string> = new Map(CODES.split(" ").map((code) => [(names.of(code) ?? code).toLowerCase(), code]))
const codeOf = (language: string): string => BY_NAME.get(language.toLowerCase()) ?? language

/** The text cut into one piece per timed word, each with its space and punctuation: joined they are the text. */
export const piecesOf = (text: string, words: ReadonlyArray<string>): ReadonlyArray<string> => {
  let at = 0
  return words.map((word, i) => {
    const found = text.indexOf(word.trim(), at)
    if (found < 0) return ""
    const rest = /^\S*/.exec(text.slice(found + word.trim().length))?.[0].length ?? 0
    const end = i === words.length - 1 ? text.length : found + word.trim().length + rest
    const piece = text.slice(at, end)
    at = end
    return piece
  })
}

/** Without times: the words evenly over the detected speech, each as long as it is written. */
const spread = (
  text: string,
  request: EngineRequest
): ReadonlyArray<{ readonly piece: string; readonly start: number; readonly end: number }> => {
  const pieces = text.match(/\s*\S+/g) ?? []
  const from = request.speech[0]?.start ?? request.start
  const to = request.speech.at(-1)?.end ?? request.start + request.pcm.length / 2
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0)
  let done = 0
  return pieces.map((piece) => {
    const start = from + Math.floor(((to - from) * done) / total)
    done += piece.length
    return { piece, start, end: from + Math.floor(((to - from) * done) / total) }
  })
}

const wordsOf = (reply: Verbose, request: EngineRequest, probability: number): ReadonlyArray<Word> => {
  const text = reply.text.trim() === "" ? "" : ` ${reply.text.trim()}`
  const timed = reply.words ?? []
  if (timed.length === 0) return spread(text, request).map(({ piece, start, end }) => ({ word: piece, start, end, probability }))
  const pieces = piecesOf(
    text,
    timed.map(({ word }) => word)
  )
  const last = request.start + request.pcm.length / 2
  const at = (seconds: number) => Math.min(last, request.start + Math.max(0, Math.round(seconds * 16_000)))
  return timed.flatMap(({ start, end }, i) => {
    const word = pieces[i] ?? ""
    return word === "" ? [] : [{ word, start: at(start), end: Math.max(at(start), at(end)), probability }]
  })
}

const mean = (values: ReadonlyArray<number>): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

const resultOf = (reply: Verbose, request: EngineRequest, model: string, computeMs: number): EngineResult => {
  const segments = reply.segments ?? []
  const avgLogprob = mean(segments.flatMap((segment) => segment.avg_logprob ?? []))
  const given = request.options.language
  return {
    words: wordsOf(reply, request, Math.min(1, Math.exp(avgLogprob))),
    language: given === "auto" ? codeOf(reply.language ?? "") : given,
    languageProbability: given === "auto" ? 0 : 1,
    avgLogprob,
    noSpeechProbability: mean(segments.flatMap((segment) => segment.no_speech_prob ?? [])),
    temperature: 0,
    computeMs,
    threads: 0,
    model,
    modelSha256: ""
  }
}

/** Everything of one request but its audio. */
const fieldsOf = ({ options }: EngineRequest, model: string): ReadonlyArray<readonly [string, string]> => {
  const timed = !model.startsWith("gpt-")
  const prompt = [options.prompt, options.hotwords].filter((text) => text !== "").join(" ")
  return [
    ["model", model],
    ["response_format", timed ? "verbose_json" : "json"],
    ...(timed && options.task === "transcribe"
      ? ([
          ["timestamp_granularities[]", "word"],
          ["timestamp_granularities[]", "segment"]
        ] as const)
      : []),
    ...(options.language === "auto" || options.task === "translate" ? [] : ([["language", options.language]] as const)),
    ...(prompt === "" ? [] : ([["prompt", prompt]] as const))
  ]
}

/** @param settings asked for with each request, so that a change is used with the next */
export const makeOpenAi = (settings: Effect.Effect<Transcription, Failure>): Engine => ({
  name: "openai",
  remote: true,
  longest: LONGEST_REMOTE,
  pid: () => undefined,
  prepare: () => Effect.asVoid(settings),
  transcribe: Effect.fnUntraced(function* (request: EngineRequest) {
    const { endpoint, model, totalMs } = yield* settings
    const bytes = wavBytes(new Int16Array(new Uint8Array(request.pcm).buffer), 16_000, 1)
    if (bytes.length > MOST_BYTES)
      return yield* new Terminal({
        code: "audio.too_large",
        message: `${endpoint.label} takes files of 25 MB, this one has ${Math.ceil(bytes.length / 1e6)} MB.`
      })
    const startedAt = performance.now()
    const path = request.options.task === "translate" ? "/audio/translations" : "/audio/transcriptions"
    const form = [...fieldsOf(request, model), ["file", { name: "audio.wav", type: "audio/wav", bytes }] as const]
    const reply = yield* json(endpoint, { method: "POST", path, form, model, firstByteMs: totalMs, totalMs }, Verbose)
    return resultOf(reply, request, model, performance.now() - startedAt)
  })
})
