/**
 * One answer as the events of the protocol: what the log says of its turn goes in, what the client gets comes out. No clock
 * and no bus. It ends once: completed, cancelled or failed.
 */
import type { EventOf, SessionEvent } from "../../../contract/Events.ts"
import type { ServerEvent } from "./Protocol.ts"

type Speech = EventOf<"speech.synthesized">

export type Step =
  | { readonly _tag: "send"; readonly event: ServerEvent }
  /** Fetch the audio and send it as deltas, unless the answer ended meanwhile. */
  | { readonly _tag: "speak"; readonly speech: Speech }
  /** Everything was said. */
  | { readonly _tag: "over" }

export interface Ids {
  readonly response: string
  readonly item: string
  readonly conversation: string
  readonly previous: string | null
}

type Ending =
  | { readonly status: "completed" }
  | { readonly status: "incomplete"; readonly reason: "max_output_tokens" }
  | { readonly status: "cancelled"; readonly reason: "client_cancelled" | "turn_detected" }
  | { readonly status: "failed"; readonly code: string; readonly message: string }

const send = (event: ServerEvent): Step => ({ _tag: "send", event })

export interface Answer {
  readonly ids: Ids
  readonly begin: ReadonlyArray<Step>
  readonly observe: (event: SessionEvent) => ReadonlyArray<Step>
  readonly audio: (base64: string) => ServerEvent
  readonly end: (ending: Ending) => ReadonlyArray<Step>
  readonly isOver: () => boolean
  /** Of the newest output. */
  readonly generation: () => number
  /** Samples of each sentence that was sent, and their rate. */
  readonly spoken: ReadonlyArray<Pick<Speech, "samples" | "sampleRate">>
}

/** @param text the answer is text only */
export const makeAnswer = (ids: Ids, { text, voice }: { readonly text: boolean; readonly voice: string }): Answer => {
  const at = { response_id: ids.response, item_id: ids.item, output_index: 0, content_index: 0 }
  const said: Array<string> = []
  const spoken: Array<Speech> = []
  let ready: EventOf<"reply.ready"> | undefined
  let opened = false
  let over = false
  let generation = 0

  const transcript = () => said.join(" ")
  const part = (content: string) => (text ? { type: "text", text: content } : { type: "audio", transcript: content })
  const item = (status: string) => ({
    id: ids.item,
    object: "realtime.item",
    type: "message",
    role: "assistant",
    status,
    content: opened ? [text ? { type: "output_text", text: transcript() } : { type: "output_audio", transcript: transcript() }] : []
  })
  const response = (status: string, details: object | null) => ({
    object: "realtime.response",
    id: ids.response,
    conversation_id: ids.conversation,
    status,
    status_details: details,
    output: opened && status !== "in_progress" ? [item(status === "completed" ? "completed" : "incomplete")] : [],
    output_modalities: [text ? "text" : "audio"],
    audio: { output: { format: { type: "audio/pcm", rate: 24_000 }, voice } },
    max_output_tokens: "inf",
    metadata: null,
    usage:
      ready === undefined
        ? null
        : {
            total_tokens: ready.usage.promptTokens + ready.usage.completionTokens,
            input_tokens: ready.usage.promptTokens,
            output_tokens: ready.usage.completionTokens
          }
  })

  const open = (): ReadonlyArray<Step> => {
    if (opened) return []
    const empty = item("in_progress")
    opened = true
    return [
      send({ type: "response.output_item.added", response_id: ids.response, output_index: 0, item: empty }),
      send({ type: "conversation.item.added", previous_item_id: ids.previous, item: empty }),
      send({ type: "response.content_part.added", ...at, part: part("") })
    ]
  }

  const end = (ending: Ending): ReadonlyArray<Step> => {
    if (over) return []
    over = true
    const { status } = ending
    const details =
      status === "completed"
        ? null
        : status === "failed"
          ? { type: "failed", error: { type: "server_error", code: ending.code, message: ending.message } }
          : { type: status, reason: ending.reason }
    const closed: ReadonlyArray<Step> = opened
      ? [
          ...(text
            ? [send({ type: "response.output_text.done", ...at, text: transcript() })]
            : [
                send({ type: "response.output_audio.done", ...at }),
                send({ type: "response.output_audio_transcript.done", ...at, transcript: transcript() })
              ]),
          send({ type: "response.content_part.done", ...at, part: part(transcript()) }),
          send({
            type: "response.output_item.done",
            response_id: ids.response,
            output_index: 0,
            item: item(status === "completed" ? "completed" : "incomplete")
          }),
          send({
            type: "conversation.item.done",
            previous_item_id: ids.previous,
            item: item(status === "completed" ? "completed" : "incomplete")
          })
        ]
      : []
    return [...closed, send({ type: "response.done", response: response(status, details) })]
  }

  const settle = (): ReadonlyArray<Step> => {
    if (ready === undefined || (!text && spoken.length < ready.sentences)) return []
    return [{ _tag: "over" }]
  }

  return {
    ids,
    begin: [send({ type: "response.created", response: response("in_progress", null) })],
    spoken,
    isOver: () => over,
    generation: () => generation,
    audio: (base64) => ({ type: "response.output_audio.delta", ...at, delta: base64 }),
    end: (ending) =>
      ending.status === "completed" && ready?.finish === "length"
        ? end({ status: "incomplete", reason: "max_output_tokens" })
        : end(ending),
    observe: (event) => {
      if (over) return []
      switch (event._tag) {
        case "reply.drafted": {
          generation = Math.max(generation, event.generation)
          const begun = open()
          const delta = said.length === 0 ? event.text : ` ${event.text}`
          said.push(event.text)
          return [...begun, send({ type: text ? "response.output_text.delta" : "response.output_audio_transcript.delta", ...at, delta })]
        }
        case "speech.synthesized":
          spoken.push(event)
          return [{ _tag: "speak", speech: event }, ...settle()]
        case "reply.ready":
          ready = event
          return [...open(), ...settle()]
        case "error.raised":
          return end({ status: "failed", code: event.code, message: event.message })
        default:
          return []
      }
    }
  }
}
