/**
 * What people call the speakers of a call: a fold over `speaker.renamed`. An undo is an event too and takes back the
 * newest rename that has not been taken back; nothing is ever overwritten. Pure.
 */
import type { EventOf } from "../../contract/Events.ts"

type Renamed = EventOf<"speaker.renamed">

const inOrder = (events: ReadonlyArray<Renamed>) => events.toSorted((a, b) => a.revision - b.revision)

/** Renames that stand, in order. */
const standing = (events: ReadonlyArray<Renamed>): ReadonlyArray<Renamed> => {
  const undone = new Set(events.map(({ undoes }) => undoes))
  return inOrder(events).filter(({ undoes, revision }) => undoes === undefined && !undone.has(revision))
}

/** Name by id of the speaker, without those that have none. */
export const speakerNames = (events: ReadonlyArray<Renamed>): ReadonlyMap<string, string> =>
  new Map(
    [...new Map(standing(events).map(({ speaker, name }) => [speaker, name] as const))].flatMap(([speaker, name]) =>
      name === "" ? [] : [[speaker, name] as const]
    )
  )

/** Revision of the next event. */
export const nextRevision = (events: ReadonlyArray<Renamed>): number => (inOrder(events).at(-1)?.revision ?? 0) + 1

/** The rename that an undo takes back. */
export const undoable = (events: ReadonlyArray<Renamed>): Renamed | undefined => standing(events).at(-1)
