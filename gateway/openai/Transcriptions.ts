/**
 * `POST /v1/audio/transcriptions` and `/v1/audio/translations`: a file in any format to its words.
 *
 * `temperature` is taken and not used: the engines choose it. A translation is into English.
 */
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { GRANULARITIES, TRANSCRIPT_FORMATS } from "../../contract/OpenAi.ts"
import type { SessionConfig } from "../../contract/Session.ts"
import type { Failure } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { demand } from "../Access.ts"
import { clientOf, hold } from "../limits/Usage.ts"
import { chosen } from "./Models.ts"
import { Parameter } from "./Problem.ts"
import { sse } from "./Sse.ts"
import { type Heard, makeTranscribe } from "./Transcribe.ts"
import { type Format, render, textOf, usageOf } from "./Transcript.ts"
import { receive, type Upload } from "./Upload.ts"

/** Characters of a prompt that count: Whisper looks at its end. */
const PROMPT_CHARACTERS = 2_000

interface Wanted {
  readonly format: Format
  readonly granularities: ReadonlyArray<string>
  readonly stream: boolean
  readonly language: string
  readonly prompt: string
  readonly model: string
}

const isFormat = (name: string): name is Format => TRANSCRIPT_FORMATS.some((format) => format === name)

const wantedOf = Effect.fnUntraced(function* ({ fields }: Upload): Effect.fn.Return<Wanted, Failure> {
  const all = (name: string) => [...(fields.get(name) ?? []), ...(fields.get(`${name}[]`) ?? [])]
  const one = (name: string, otherwise: string) => all(name).at(-1) ?? otherwise
  const model = one("model", "")
  if (model === "") return yield* new Parameter("model", 'The form has no "model"; "voxbus" is the configured one.')
  const format = one("response_format", "json")
  if (!isFormat(format))
    return yield* new Parameter(
      "response_format",
      `There is no format "${format.slice(0, 40)}"; there are ${TRANSCRIPT_FORMATS.join(", ")}.`
    )
  const granularities = all("timestamp_granularities")
  const strange = granularities.find((each) => !GRANULARITIES.some((known) => known === each))
  if (strange !== undefined) return yield* new Parameter("timestamp_granularities", `"${strange.slice(0, 40)}" is not word or segment.`)
  if (granularities.length > 0 && format !== "verbose_json")
    return yield* new Parameter("timestamp_granularities", "Timestamps are in response_format verbose_json only.")
  const language = one("language", "auto").toLowerCase().split("-")[0] ?? ""
  if (!/^(auto|[a-z]{2,3})$/.test(language)) return yield* new Parameter("language", "The language is not a code such as en.")
  const temperature = Number(one("temperature", "0"))
  if (!(temperature >= 0 && temperature <= 1)) return yield* new Parameter("temperature", "The temperature is a number from 0 to 1.")
  return {
    format,
    granularities,
    stream: one("stream", "false") === "true",
    language,
    prompt: one("prompt", "").slice(-PROMPT_CHARACTERS),
    model
  }
})

/** Both endpoints. Lives as long as the gateway. */
export const makeTranscriptions = Effect.gen(function* () {
  const settings = yield* Settings
  const transcribe = yield* makeTranscribe

  const configFor = Effect.fnUntraced(function* (wanted: Wanted, task: "transcribe" | "translate") {
    const { session } = yield* settings.reload
    const { transcriber } = session
    const model = yield* chosen(wanted.model, ["whisper-ct2", "whisper-ggml"], transcriber.model).pipe(
      Effect.provideService(Settings, settings)
    )
    const language = wanted.language === "auto" ? transcriber.language : wanted.language
    const prompt = wanted.prompt === "" ? transcriber.prompt : wanted.prompt
    const config: SessionConfig = { ...session, transcriber: { ...transcriber, model, language, prompt, task } }
    return config
  })

  return Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest, task: "transcribe" | "translate") {
    const caller = yield* demand("write")
    const { limits, uploadMegabytes } = (yield* settings.reload).gateway
    const most = limits.uploadsAtOnce
    const client = yield* clientOf(request)
    const scope = yield* Effect.scope
    const upload = yield* hold("uploads", client, most, `${most} files are on their way already; send this one in a moment.`).pipe(
      Effect.andThen(receive(request, uploadMegabytes * 1e6).pipe(Scope.provide(scope))),
      // On its way until it is here; its file is there as long as the request.
      Effect.scoped
    )
    const wanted = yield* wantedOf(upload)
    const heard = yield* transcribe(upload.path, yield* configFor(wanted, task), caller.name)
    if (wanted.stream)
      return yield* sse(
        heard.pipe(
          Stream.map((each) =>
            each._tag === "Delta"
              ? { type: "transcript.text.delta", delta: each.text }
              : { type: "transcript.text.done", text: textOf(each.transcript), usage: usageOf(each.transcript) }
          )
        )
      )
    const parts = yield* Stream.runCollect(heard)
    const whole = parts.find((each): each is Extract<Heard, { _tag: "Whole" }> => each._tag === "Whole")
    if (whole === undefined) return yield* Effect.die("the log of a transcription ended early")
    const { body, contentType } = render(whole.transcript, wanted.format, { task, granularities: wanted.granularities })
    return HttpServerResponse.text(body, { contentType, headers: { "cache-control": "no-store" } })
  })
})
