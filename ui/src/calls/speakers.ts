/** Speakers and their colours: in the order in which they are first heard. */
const HUES = [265, 60, 150, 20, 320, 200]

export const speakersOf = (segments: ReadonlyArray<{ readonly speaker?: string | undefined }>): ReadonlyArray<string> => [
  ...new Set(segments.flatMap(({ speaker }) => (speaker === undefined ? [] : [speaker])))
]

export const colourOf = (speakers: ReadonlyArray<string>, speaker: string | undefined): number =>
  HUES[Math.max(0, speakers.indexOf(speaker ?? "")) % HUES.length] ?? 265
