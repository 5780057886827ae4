/** What a realtime client has asked for, and the configuration of a session that follows from it. */
import type { SessionConfig } from "../../../contract/Session.ts"
import { CONFIGURED } from "../Models.ts"
import { RATE, type SessionFields } from "./Protocol.ts"

export interface Detection {
  readonly prefixMs: number
  readonly silenceMs: number
  readonly respond: boolean
  readonly interrupt: boolean
}

export interface Preferences {
  readonly kind: "realtime" | "transcription"
  /** Undefined: the configured ones. */
  readonly instructions: string | undefined
  readonly text: boolean
  readonly maxTokens: number | undefined
  readonly language: string | undefined
  /** Undefined: the client says when a turn ends. */
  readonly detection: Detection | undefined
  readonly voice: string
  readonly speed: number
}

const DETECTION: Detection = { prefixMs: 300, silenceMs: 500, respond: true, interrupt: true }

export const initial = (kind: Preferences["kind"], config: SessionConfig): Preferences => ({
  kind,
  instructions: undefined,
  text: false,
  maxTokens: undefined,
  language: undefined,
  detection: DETECTION,
  voice: config.speaker.voice,
  speed: config.speaker.speed
})

/** @param voice of the update, looked up */
export const updated = (was: Preferences, fields: SessionFields, voice: string | undefined): Preferences => {
  const input = fields.audio?.input
  const wanted = input?.turn_detection
  const base = was.detection ?? DETECTION
  return {
    kind: fields.type ?? was.kind,
    instructions: fields.instructions ?? was.instructions,
    text:
      fields.output_modalities === undefined || fields.output_modalities === null ? was.text : !fields.output_modalities.includes("audio"),
    maxTokens: fields.max_output_tokens === "inf" ? undefined : (fields.max_output_tokens ?? was.maxTokens),
    language: input?.transcription?.language ?? was.language,
    detection:
      wanted === undefined
        ? was.detection
        : wanted === null
          ? undefined
          : {
              prefixMs: wanted.prefix_padding_ms ?? base.prefixMs,
              silenceMs: wanted.silence_duration_ms ?? base.silenceMs,
              respond: wanted.create_response ?? base.respond,
              interrupt: wanted.interrupt_response ?? base.interrupt
            },
    voice: voice ?? was.voice,
    speed: fields.audio?.output?.speed ?? was.speed
  }
}

/** The session as the protocol shows it. */
export const shown = (
  id: string,
  model: string,
  { kind, instructions, text, maxTokens, language, detection, voice, speed }: Preferences,
  defaultInstructions: string
) => {
  const format = { type: "audio/pcm", rate: RATE }
  return {
    type: kind,
    object: "realtime.session",
    id,
    model,
    output_modalities: [text ? "text" : "audio"],
    instructions: instructions ?? defaultInstructions,
    max_output_tokens: maxTokens ?? "inf",
    tools: [],
    tool_choice: "auto",
    audio: {
      input: {
        format,
        transcription: { model: CONFIGURED, ...(language === undefined ? {} : { language }) },
        noise_reduction: null,
        turn_detection:
          detection === undefined
            ? null
            : {
                type: "server_vad",
                threshold: 0.5,
                prefix_padding_ms: detection.prefixMs,
                silence_duration_ms: detection.silenceMs,
                create_response: detection.respond,
                interrupt_response: detection.interrupt,
                idle_timeout_ms: null
              }
      },
      output: { format, voice, speed }
    }
  }
}

/** @param notes further system messages, added behind the instructions */
export const configOf = (
  base: SessionConfig,
  wants: Preferences,
  until: SessionConfig["until"],
  notes: ReadonlyArray<string>
): SessionConfig => ({
  ...base,
  until,
  transcriber: { ...base.transcriber, language: wants.language ?? base.transcriber.language },
  reasoner: {
    ...base.reasoner,
    systemPrompt: [wants.instructions ?? base.reasoner.systemPrompt, ...notes].join("\n\n"),
    maxTokens: wants.maxTokens ?? base.reasoner.maxTokens
  },
  speaker: { ...base.speaker, voice: wants.voice, speed: wants.speed }
})
