/**
 * The settled chunks of a call become one transcript: subtitle-sized segments in order on the absolute timeline, the
 * language most of the speech is in, and the coverage, which cannot hide a loss. Pure.
 *
 * Speech counts as transcribed only inside a chunk that ended with words; every other chunk with speech in it is a gap
 * with its reason. A chunk that was transcribed after it had been given up counts as transcribed.
 */
import type { ChannelSpan, Coverage, EventOf, Segment, Transcript } from "../../contract/Events.ts"
import { bySpeaker } from "./Channels.ts"
import { cut } from "./Cut.ts"
import { joinTexts, tidy } from "./Lines.ts"
import type { Outcomes } from "./Settled.ts"

export interface SettledCall extends Outcomes {
  readonly opened: EventOf<"session.opened">
  readonly completed: EventOf<"audio.completed">
  readonly chunks: ReadonlyArray<EventOf<"audio.normalized">>
  readonly version: number
}

/** One chunk with what became of it. */
interface Ended {
  readonly unit: number
  readonly start: number
  readonly end: number
  readonly speech: number
  readonly transcribed?: EventOf<"text.transcribed">
  /** Who speaks when, where each side has a channel. */
  readonly channels: ReadonlyArray<ChannelSpan>
  /** Why there are no words. */
  readonly lost?: string
}

const byUnit = <E extends { readonly unit?: number }>(events: ReadonlyArray<E>): ReadonlyMap<number, E> =>
  new Map(events.flatMap((event) => (event.unit === undefined ? [] : [[event.unit, event] as const])))

const hasWords = (event: EventOf<"text.transcribed">): boolean =>
  event.segments.some(({ text, words }) => tidy(text) !== "" || words.length > 0)

/** Chunks `1..chunks` in order, also those whose `audio.normalized` is missing from the log. */
const ended = (call: SettledCall): ReadonlyArray<Ended> => {
  const chunks = byUnit(call.chunks)
  const transcribed = byUnit(call.transcribed)
  const rejected = byUnit(call.rejected)
  const dead = byUnit(call.dead)
  let cursor = 0
  return Array.from({ length: call.completed.chunks }, (_, index): Ended => {
    const unit = index + 1
    const words = transcribed.get(unit)
    const chunk = chunks.get(unit)
    const span = chunk ?? words ?? rejected.get(unit) ?? { start: cursor, end: chunks.get(unit + 1)?.start ?? call.completed.samples }
    cursor = span.end
    const place = {
      unit,
      start: span.start,
      end: span.end,
      channels: chunk?.channels ?? [],
      speech: chunk?.speech.reduce((sum, { start, end }) => sum + end - start, 0) ?? 0
    }
    if (words !== undefined) return hasWords(words) ? { ...place, transcribed: words } : { ...place, lost: "no_words" }
    return { ...place, lost: rejected.get(unit)?.reason ?? dead.get(unit)?.code ?? "missing" }
  })
}

/** Silence that was found to be silence is not a gap. */
const isGap = ({ lost, speech }: Ended): boolean =>
  lost !== undefined && (speech > 0 || !["silence", "no_speech", "no_words"].includes(lost))

const coverageOf = (call: SettledCall, chunks: ReadonlyArray<Ended>): Coverage => {
  const total = (of: ReadonlyArray<Ended>) => of.reduce((sum, { speech }) => sum + speech, 0)
  // Both were counted apart; speech that never reached a chunk must not disappear from the measure.
  const speechSamples = Math.max(call.completed.speechSamples, total(chunks))
  const transcribedSamples = total(chunks.filter(({ transcribed }) => transcribed !== undefined))
  return {
    speechSamples,
    transcribedSamples,
    ratio: speechSamples === 0 ? 1 : transcribedSamples / speechSamples,
    gaps: chunks.filter(isGap).map(({ start, end, unit, lost }) => ({ start, end, unit, reason: lost ?? "missing" }))
  }
}

/** The values of `of`, the one with most weight first. */
const byWeight = (of: ReadonlyArray<readonly [value: string, weight: number]>): ReadonlyArray<string> => {
  const sums = new Map<string, number>()
  for (const [value, weight] of of) sums.set(value, (sums.get(value) ?? 0) + weight)
  return [...sums].toSorted((a, b) => b[1] - a[1]).map(([value]) => value)
}

const emptyReason = (call: SettledCall, chunks: ReadonlyArray<Ended>): string => {
  if (call.completed.samples === 0) return "The recording holds no audio."
  if (chunks.length === 0 || chunks.every(({ lost }) => lost === "silence")) return "No speech was detected in the recording."
  const reasons = byWeight(chunks.flatMap(({ lost }) => (lost === undefined ? [] : [[lost, 1] as const])))
  return `No chunk of the recording gave words (${reasons.join(", ")}).`
}

/**
 * @param call Everything the log has of a call whose chunks are all settled.
 * @returns The transcript; the same for the same input, whatever the order its events came in.
 */
export const merge = (call: SettledCall): Transcript => {
  const { opened, completed } = call
  const chunks = ended(call)
  const segments: Array<Segment> = []
  let cursor = 0
  for (const { transcribed, channels, start, end } of chunks) {
    for (const segment of bySpeaker(transcribed?.segments ?? [], channels)) {
      const cuts = cut(segment, Math.max(cursor, start), end)
      segments.push(...cuts)
      cursor = cuts.at(-1)?.end ?? cursor
    }
  }
  const believed = chunks.flatMap(({ transcribed, speech }) =>
    // A chunk without detected speech has words all the same: it counts a little.
    transcribed === undefined ? [] : [{ of: transcribed, weight: Math.max(speech, 1) }]
  )
  const engines = believed.length > 0 ? believed : call.rejected.map((of) => ({ of, weight: 1 }))
  const all = (field: "engine" | "model" | "modelSha256") => byWeight(engines.map(({ of, weight }) => [of[field], weight])).join(", ")
  const asked = opened.config.transcriber.language
  return {
    session: opened.session,
    version: call.version,
    title: opened.title,
    ...(opened.ticket === undefined ? {} : { ticket: opened.ticket }),
    startedAt: opened.at,
    language: byWeight(believed.map(({ of, weight }) => [of.language, weight]))[0] ?? (asked === "auto" ? "und" : asked),
    samples: completed.samples,
    text: joinTexts(segments.map(({ text }) => text)),
    segments,
    coverage: coverageOf(call, chunks),
    engine: all("engine"),
    model: all("model"),
    modelSha256: all("modelSha256"),
    ...(segments.length === 0 ? { emptyReason: emptyReason(call, chunks) } : {}),
    ...(completed.truncated === true ? { truncated: true } : {})
  }
}

/** Words of a transcript; where an engine gave no times, what stands between spaces. */
export const countWords = (transcript: Transcript): number =>
  transcript.segments.reduce((sum, { text, words }) => sum + (words.length > 0 ? words.length : text.split(" ").length), 0)
