/**
 * The versions of a call's transcript: which there are, what they come from, which one counts. Pure, over the events of
 * the session.
 *
 * A *line* is what one configuration made of all chunks: version 1, or a later one that was asked for with another model.
 * A repair (a chunk that had been given up has words after all) is a further version of its line.
 */
import type { EventOf } from "../../contract/Events.ts"

export type Completed = EventOf<"transcript.completed">
export type Requested = EventOf<"transcript.requested">

/** The line an end of a chunk belongs to. Of a failure only the subject says it. */
export const lineOf = (event: EventOf<"text.transcribed" | "text.rejected" | "audio.normalized" | "error.raised">): number =>
  event._tag === "error.raised" ? Number(/\.v(\d{6})$/.exec(event.subject)?.[1] ?? 1) : (event.version ?? 1)

/** The line of a version. */
export const lineOfVersion = (version: number, requested: ReadonlyArray<Requested>): number =>
  requested.find((each) => each.version === version)?.repairs ?? version

const byVersion = (a: { readonly version: number }, b: { readonly version: number }) => a.version - b.version

/** The newest finished version of a line. */
export const newestOfLine = (
  line: number,
  requested: ReadonlyArray<Requested>,
  completed: ReadonlyArray<Completed>
): Completed | undefined =>
  completed
    .filter(({ version }) => lineOfVersion(version, requested) === line)
    .toSorted(byVersion)
    .at(-1)

/** The number that the next version takes. */
export const nextVersion = (requested: ReadonlyArray<Requested>, completed: ReadonlyArray<Completed>): number =>
  1 + Math.max(1, ...requested.map(({ version }) => version), ...completed.map(({ version }) => version))

/** The transcript that is the call's text: what the newest version says, itself or an older one. */
export const currentTranscript = (completed: ReadonlyArray<Completed>): Completed | undefined => {
  const newest = completed.toSorted(byVersion).at(-1)
  return completed.find(({ version }) => version === (newest?.current ?? newest?.version))
}

/** The version that counts when `next` is finished, if it is not `next` itself. */
export const keptInstead = (
  next: Pick<Completed, "version" | "words">,
  requested: ReadonlyArray<Requested>,
  before: ReadonlyArray<Completed>
): number | undefined => {
  const current = currentTranscript(before)
  if (current === undefined) return undefined
  const replacesWordsByNothing = next.words === 0 && current.words > 0
  const ofAnotherLine = requested.some((each) => each.version === next.version && each.reason === "repair")
    ? lineOfVersion(next.version, requested) !== lineOfVersion(current.version, requested)
    : false
  return replacesWordsByNothing || ofAnotherLine ? current.version : undefined
}
