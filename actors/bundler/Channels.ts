/**
 * Speakers of a recording with one side of the call on each channel: a segment that both sides speak in is split
 * between their words. Without channels everything stays as it is. Pure.
 */
import type { ChannelSpan, Segment, Word } from "../../contract/Events.ts"

const nameOf = (channel: number) => `Channel ${channel + 1}`

/** The channel that has most of a span; nothing where none is the louder one. */
const channelAt = (
  channels: ReadonlyArray<ChannelSpan>,
  { start, end }: { readonly start: number; readonly end: number }
): number | undefined => {
  const shares = new Map<number, number>()
  for (const each of channels) {
    const share = Math.min(end, each.end) - Math.max(start, each.start)
    if (share > 0) shares.set(each.channel, (shares.get(each.channel) ?? 0) + share)
  }
  return [...shares].toSorted((a, b) => b[1] - a[1])[0]?.[0]
}

interface Run {
  readonly channel: number | undefined
  readonly words: Array<Word>
}

/** Words that follow each other on one channel; a word nobody is louder in belongs to the words before it. */
const runsOf = (words: ReadonlyArray<Word>, channels: ReadonlyArray<ChannelSpan>): ReadonlyArray<Run> => {
  const runs: Array<Run> = []
  for (const word of words) {
    const channel = channelAt(channels, word)
    const last = runs.at(-1)
    if (last !== undefined && (channel === undefined || last.channel === undefined || last.channel === channel)) {
      last.words.push(word)
      if (last.channel === undefined) runs[runs.length - 1] = { channel, words: last.words }
    } else runs.push({ channel, words: [word] })
  }
  return runs
}

const named = (segment: Segment, channel: number | undefined): Segment =>
  channel === undefined ? segment : { ...segment, speaker: nameOf(channel) }

const split = (segment: Segment, channels: ReadonlyArray<ChannelSpan>): ReadonlyArray<Segment> => {
  const runs = runsOf(segment.words, channels)
  if (runs.length < 2) return [named(segment, channelAt(channels, segment))]
  return runs.map(({ channel, words }, index) => {
    const start = index === 0 ? segment.start : (words[0]?.start ?? segment.start)
    const end = index === runs.length - 1 ? segment.end : (words.at(-1)?.end ?? segment.end)
    return named({ ...segment, start, end, words, text: words.map(({ word }) => word.trim()).join(" ") }, channel)
  })
}

/** The segments of a chunk, each of one speaker. */
export const bySpeaker = (segments: ReadonlyArray<Segment>, channels: ReadonlyArray<ChannelSpan>): ReadonlyArray<Segment> =>
  channels.length === 0 ? segments : segments.flatMap((segment) => split(segment, channels))
