/**
 * What a client may send over `/v1/realtime`: a subset of OpenAI's Realtime API (GA names). Fields that are not listed are
 * ignored. Audio is base64 of `s16le` mono at 24 kHz, both ways.
 *
 * Not taken: tools, images, other audio formats, semantic turn detection, deleting items, WebRTC.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { describe, Terminal } from "../../../kernel/Failure.ts"
import { maybe } from "../../../contract/OpenAi.ts"
import { refused } from "../Body.ts"
import { Parameter } from "../Problem.ts"

/** Hertz of the audio, both ways. */
export const RATE = 24_000

const Milliseconds = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 60_000 }))

export const TurnDetection = Schema.Struct({
  type: Schema.Literal("server_vad"),
  /** Audio before the detected beginning that belongs to it, ms. */
  prefix_padding_ms: maybe(Milliseconds),
  /** Silence that ends a turn, ms. */
  silence_duration_ms: maybe(Milliseconds),
  create_response: maybe(Schema.Boolean),
  interrupt_response: maybe(Schema.Boolean)
})

const Format = Schema.Struct({ type: Schema.Literal("audio/pcm"), rate: maybe(Schema.Literal(RATE)) })
const Modalities = Schema.Array(Schema.Literals(["audio", "text"])).check(Schema.isMinLength(1))
const Instructions = Schema.String.check(Schema.isMaxLength(50_000))
const MaxTokens = Schema.Union([Schema.Literal("inf"), Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4096 }))])

export const SessionFields = Schema.Struct({
  type: maybe(Schema.Literals(["realtime", "transcription"])),
  instructions: maybe(Instructions),
  output_modalities: maybe(Modalities),
  max_output_tokens: maybe(MaxTokens),
  tools: maybe(Schema.Array(Schema.Unknown).check(Schema.isMaxLength(0))),
  audio: maybe(
    Schema.Struct({
      input: maybe(
        Schema.Struct({
          format: maybe(Format),
          transcription: maybe(Schema.Struct({ language: maybe(Schema.String.check(Schema.isPattern(/^[a-z]{2,3}$/))) })),
          turn_detection: Schema.optionalKey(Schema.NullOr(TurnDetection))
        })
      ),
      output: maybe(
        Schema.Struct({
          format: maybe(Format),
          voice: maybe(Schema.String),
          speed: maybe(Schema.Finite.check(Schema.isBetween({ minimum: 0.25, maximum: 4 })))
        })
      )
    })
  )
})
export type SessionFields = typeof SessionFields.Type

export const ItemFields = Schema.Struct({
  id: maybe(Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/))),
  type: Schema.Literal("message"),
  role: Schema.Literals(["user", "assistant", "system"]),
  content: Schema.Array(Schema.Struct({ type: Schema.Literals(["input_text", "output_text", "text"]), text: Schema.String }))
})

const event = <const T extends string, F extends Schema.Struct.Fields>(type: T, fields: F) =>
  Schema.Struct({ type: Schema.Literal(type), event_id: maybe(Schema.String), ...fields })

export const ClientEvent = Schema.Union([
  event("session.update", { session: SessionFields }),
  event("input_audio_buffer.append", { audio: Schema.String }),
  event("input_audio_buffer.commit", {}),
  event("input_audio_buffer.clear", {}),
  event("conversation.item.create", { item: ItemFields }),
  event("conversation.item.truncate", { item_id: Schema.String, content_index: maybe(Schema.Int), audio_end_ms: Schema.Finite }),
  event("response.create", {
    response: maybe(
      Schema.Struct({ instructions: maybe(Instructions), output_modalities: maybe(Modalities), max_output_tokens: maybe(MaxTokens) })
    )
  }),
  event("response.cancel", { response_id: maybe(Schema.String) })
])
export type ClientEvent = typeof ClientEvent.Type
export type ClientEventOf<T extends ClientEvent["type"]> = Extract<ClientEvent, { readonly type: T }>

/** An event to the client; `event_id` is added where it is sent. */
export type ServerEvent = { readonly type: string } & Readonly<Record<string, unknown>>

const TYPES: ReadonlyArray<string> = ClientEvent.members.map((member) => member.fields.type.literal)
const Tagged = Schema.is(Schema.Struct({ type: Schema.String }))
const decodeFields = Schema.decodeUnknownEffect(ClientEvent)

/** A text message as an event. Fails with what is wrong, for the one who wrote the client. */
export const parse = Effect.fnUntraced(function* (text: string): Effect.fn.Return<ClientEvent, Terminal> {
  const value = yield* Effect.try({
    try: () => JSON.parse(text) as unknown,
    catch: (cause) => new Terminal({ code: "input.invalid", message: `The event is not JSON: ${describe(cause)}` })
  })
  if (!Tagged(value)) return yield* new Parameter("type", "The event has no type.")
  if (!TYPES.includes(value.type))
    return yield* new Parameter("type", `The event "${value.type.slice(0, 60)}" is not supported; there are ${TYPES.join(", ")}.`)
  return yield* decodeFields(value).pipe(Effect.mapError(refused))
})

/** The id a client gave its event, to be named in an error. */
export const eventIdOf = (text: string): string | null => {
  const found = /"event_id"\s*:\s*"([\w-]{1,100})"/.exec(text.slice(0, 500))
  return found?.[1] ?? null
}
