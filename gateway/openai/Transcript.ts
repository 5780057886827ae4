/** One transcript in the formats of OpenAI's API. */
import { srt } from "../../actors/bundler/exports/Srt.ts"
import { verboseJson } from "../../actors/bundler/exports/VerboseJson.ts"
import { vtt } from "../../actors/bundler/exports/Vtt.ts"
import { type EventOf, TIMELINE_RATE, type Transcript } from "../../contract/Events.ts"
import type { TRANSCRIPT_FORMATS } from "../../contract/OpenAi.ts"

export type Format = (typeof TRANSCRIPT_FORMATS)[number]

const names = new Intl.DisplayNames("en", { type: "language" })

/** `en` as `english`, which is how this format says it. */
const languageName = (code: string): string => (/^[a-z]{2,3}$/.test(code) ? (names.of(code) ?? code).toLowerCase() : code)

/** Seconds that are billed elsewhere: whole ones, begun ones count. */
export const usageOf = ({ samples }: Pick<Transcript, "samples">) => ({
  type: "duration",
  seconds: Math.ceil(samples / TIMELINE_RATE)
})

export const textOf = ({ text }: Pick<Transcript, "text">): string => text.trim()

/** One unit as a transcript of its own. */
export const transcriptOf = (event: EventOf<"text.transcribed" | "text.rejected">, samples: number, at: string): Transcript => {
  const heard = event._tag === "text.transcribed"
  return {
    session: event.session,
    version: 1,
    title: "",
    startedAt: at,
    language: heard ? event.language : "",
    samples,
    text: heard ? event.text.trim() : "",
    segments: heard ? event.segments : [],
    coverage: { speechSamples: 0, transcribedSamples: 0, ratio: 1, gaps: [] },
    engine: event.engine,
    model: event.model,
    modelSha256: event.modelSha256,
    ...(heard ? {} : { emptyReason: event.reason })
  }
}

export interface Rendering {
  readonly body: string
  readonly contentType: string
}

/** @param granularities `word` and `segment`, of `verbose_json` */
export const render = (
  transcript: Transcript,
  format: Format,
  options: { readonly task: string; readonly granularities: ReadonlyArray<string> }
): Rendering => {
  const json = (value: unknown): Rendering => ({ body: JSON.stringify(value), contentType: "application/json" })
  switch (format) {
    case "json":
      return json({ text: textOf(transcript), usage: usageOf(transcript) })
    case "text":
      return { body: `${textOf(transcript)}\n`, contentType: "text/plain; charset=utf-8" }
    case "srt":
      return { body: String(srt.render(transcript)), contentType: "application/x-subrip; charset=utf-8" }
    case "vtt":
      return { body: String(vtt.render(transcript)), contentType: vtt.mediaType }
    case "verbose_json": {
      const { words, segments, ...rest } = JSON.parse(String(verboseJson.render(transcript))) as Record<string, unknown>
      const wants = (what: string) => options.granularities.includes(what)
      return json({
        ...rest,
        task: options.task,
        language: languageName(transcript.language),
        text: textOf(transcript),
        ...(wants("segment") || !wants("word") ? { segments } : {}),
        ...(wants("word") ? { words } : {}),
        usage: usageOf(transcript)
      })
    }
  }
}
