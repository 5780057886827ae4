/**
 * What became of a recording that was cut off again and again, from the log and from its finished folder. Pure.
 */
import type { Logged } from "../../../kernel/Actor.ts"
import { callState } from "../../../kernel/folds/CallState.ts"

/** Frames of one span, in the order of the log. */
export interface SavedAudio {
  readonly span: number
  /** Where it begins on the timeline. */
  readonly start: number
  readonly pcm: Int16Array
}

/** What was said in one life, and until when. */
export interface Said {
  readonly from: number
  readonly samples: number
}

const beginsWith = (pcm: Int16Array, other: Int16Array): boolean =>
  pcm.length <= other.length && pcm.every((sample, index) => sample === other[index])

/**
 * Finds each span among the lives: it must be what was said in its life, sample by sample from the first, and not more.
 *
 * @param sample the voice
 * @returns samples lost in each life, and spans that nobody said
 */
export const compare = (
  lives: ReadonlyArray<Said>,
  spans: ReadonlyArray<SavedAudio>,
  sample: (from: number, to: number) => Int16Array
): { readonly lost: ReadonlyArray<number>; readonly strange: ReadonlyArray<string> } => {
  const lost: Array<number> = []
  const left = [...spans]
  for (const { from, samples } of lives) {
    let saved = 0
    // On a machine that stands still for seconds a life can have more than one span.
    for (let next = left[0]; next !== undefined && beginsWith(next.pcm, sample(from + saved, from + samples)); next = left[0]) {
      saved += next.pcm.length
      left.shift()
    }
    lost.push(samples - saved)
  }
  return { lost, strange: left.map(({ span, pcm }) => `span ${span} (${pcm.length} samples) is not what was said`) }
}

/** Laws of a recording that ended by itself in a bundle. */
export const lawsOf = (log: ReadonlyArray<Logged>, spans: ReadonlyArray<SavedAudio>, kills: number): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const events = log.map(({ event }) => event)
  const all = (tag: (typeof events)[number]["_tag"]) => events.filter((event) => event._tag === tag)
  const claim = (holds: boolean, what: string) => void (holds || faults.push(what))

  const recovering = all("session.recovering").length
  claim(recovering <= kills, `${recovering} times RECOVERING after ${kills} kills`)
  claim(recovering > 0 || kills === 0, "never RECOVERING")
  for (const tag of [
    "session.opened",
    "session.started",
    "session.closed",
    "audio.completed",
    "transcript.completed",
    "bundle.ready"
  ] as const)
    claim(all(tag).length === 1, `${all(tag).length} x ${tag}`)
  claim(all("error.raised").length === 0, "an actor gave something up")

  const ends = new Map<number, number>()
  for (const event of events)
    if (event._tag === "text.transcribed" || event._tag === "text.rejected") ends.set(event.unit, (ends.get(event.unit) ?? 0) + 1)
  const chunks = all("audio.normalized").length
  claim(ends.size === chunks && [...ends.values()].every((count) => count === 1), `${chunks} chunks, ends: ${[...ends.values()].join(" ")}`)

  // Nothing lies between spans of a source that misses nothing: the timeline has no gap and no overlap.
  let end = 0
  for (const { span, start, pcm } of spans) {
    claim(start === end, `span ${span} begins at ${start}, not at ${end}`)
    end = start + pcm.length
  }
  const captured = events.flatMap((event) => (event._tag === "audio.captured" ? [event.samples ?? 0] : []))
  claim(captured.reduce((sum, samples) => sum + samples, 0) === end, `audio.captured says ${captured.join(" + ")}, the frames hold ${end}`)
  const completed = events.find((event) => event._tag === "audio.completed")
  claim(completed?._tag === "audio.completed" && completed.samples === end, "audio.completed does not have all samples")
  const { phase } = callState(log.flatMap(({ event, time }) => ("session" in event ? [{ event, time }] : [])))
  claim(phase === "COMPLETED", `it ends as ${phase}`)
  return faults
}
