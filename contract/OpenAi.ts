/** What `/v1` of the gateway takes, with OpenAI's names, and its part of the OpenAPI document. */
import * as Schema from "effect/Schema"

/** A field that may be left out or be null: clients send both. */
export const maybe = <S extends Schema.Top>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/** Forms of a transcript. */
export const TRANSCRIPT_FORMATS = ["json", "text", "srt", "verbose_json", "vtt"] as const
export const GRANULARITIES = ["word", "segment"] as const
export const SPEECH_FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm"] as const

const Part = Schema.Struct({ type: Schema.String, text: maybe(Schema.String) })

export const ChatMessage = Schema.Struct({
  role: Schema.String,
  content: maybe(Schema.Union([Schema.String, Schema.Array(Part)])),
  tool_calls: maybe(Schema.Array(Schema.Unknown))
})

/** What is not supported is known, so that it can be refused by name. */
export const ChatRequest = Schema.Struct({
  model: Schema.NonEmptyString,
  messages: Schema.Array(ChatMessage).check(Schema.isMinLength(1), Schema.isMaxLength(2_000)),
  stream: maybe(Schema.Boolean),
  stream_options: maybe(Schema.Struct({ include_usage: maybe(Schema.Boolean) })),
  max_tokens: maybe(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))),
  max_completion_tokens: maybe(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))),
  temperature: maybe(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2 }))),
  n: maybe(Schema.Int),
  tools: maybe(Schema.Array(Schema.Unknown)),
  functions: maybe(Schema.Array(Schema.Unknown)),
  stop: maybe(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  response_format: maybe(Schema.Struct({ type: Schema.String })),
  logprobs: maybe(Schema.Boolean),
  modalities: maybe(Schema.Array(Schema.String))
})
export type ChatRequest = typeof ChatRequest.Type

export const SpeechRequest = Schema.Struct({
  model: Schema.NonEmptyString,
  input: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(20_000)),
  voice: Schema.Union([Schema.String, Schema.Struct({ id: Schema.String })]),
  response_format: maybe(Schema.Literals(SPEECH_FORMATS)),
  speed: maybe(Schema.Finite.check(Schema.isBetween({ minimum: 0.25, maximum: 4 }))),
  stream_format: maybe(Schema.Literals(["audio", "sse"]))
})

const json = (schema: object) => ({ "application/json": { schema } })
const events = { "text/event-stream": { schema: { type: "string" } } }
const model = {
  type: "object",
  properties: { id: { type: "string" }, object: { const: "model" }, created: { type: "integer" }, owned_by: { type: "string" } },
  required: ["id", "object", "created", "owned_by"]
}

const form = {
  file: { type: "string", format: "binary" },
  model: { type: "string", minLength: 1, description: "`voxbus` is the configured one; so is every name that is not installed." },
  language: { type: "string", pattern: "^[A-Za-z]{2,4}(-.*)?$" },
  prompt: { type: "string" },
  response_format: { enum: TRANSCRIPT_FORMATS, default: "json" },
  "timestamp_granularities[]": { type: "array", items: { enum: GRANULARITIES }, description: "With `verbose_json` only." },
  temperature: { type: "number", minimum: 0, maximum: 1, description: "Taken and not used: the engines choose it." },
  stream: { type: "boolean", default: false }
}

const problem = {
  description: "What went wrong, in OpenAI's form.",
  content: json({
    type: "object",
    properties: {
      error: {
        type: "object",
        properties: {
          message: { type: "string" },
          type: { type: "string" },
          param: { type: ["string", "null"] },
          code: { type: "string" }
        },
        required: ["message", "type", "param", "code"]
      }
    },
    required: ["error"]
  })
}

const operation = (scope: "read" | "write", operationId: string, summary: string, rest: object, content: object) => ({
  operationId,
  summary,
  tags: ["OpenAI"],
  "x-scope": scope,
  ...rest,
  responses: { "200": { description: "The answer.", content }, default: problem }
})

const hear = (name: string, summary: string) => ({
  post: operation(
    "write",
    `openai.${name}`,
    summary,
    {
      requestBody: {
        required: true,
        content: { "multipart/form-data": { schema: { type: "object", properties: form, required: ["file", "model"] } } }
      }
    },
    { ...json({ type: "object" }), "text/plain": { schema: { type: "string" } }, "text/vtt": { schema: { type: "string" } }, ...events }
  )
})

/** Operations by path and method. @param schemaOf the JSON schema of a body, its definitions put into the document */
export const openAiPaths = (schemaOf: (schema: Schema.Top) => object) => {
  const body = (schema: Schema.Top) => ({ requestBody: { required: true, content: json(schemaOf(schema)) } })
  return {
    "/v1/models": {
      get: operation(
        "read",
        "openai.models",
        "Models a request may name.",
        {},
        json({
          type: "object",
          properties: { object: { const: "list" }, data: { type: "array", items: model } },
          required: ["object", "data"]
        })
      )
    },
    "/v1/models/{model}": {
      get: operation(
        "read",
        "openai.model",
        "One of them.",
        { parameters: [{ name: "model", in: "path", required: true, schema: { type: "string" } }] },
        json(model)
      )
    },
    "/v1/audio/voices": {
      get: operation("read", "openai.voices", "Voices that are installed.", {}, json({ type: "object" }))
    },
    "/v1/audio/transcriptions": hear("transcriptions", "A file in any format to its words; `stream` sends them as they come."),
    "/v1/audio/translations": hear("translations", "The same into English."),
    "/v1/audio/speech": {
      post: operation("write", "openai.speech", "A text to speech, streamed.", body(SpeechRequest), {
        "audio/*": { schema: { type: "string", format: "binary" } },
        ...events
      })
    },
    "/v1/chat/completions": {
      post: operation("write", "openai.chat", "An answer of the reasoner, whole or streamed.", body(ChatRequest), {
        ...json({ type: "object" }),
        ...events
      })
    }
  }
}
