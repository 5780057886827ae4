import { assert, describe, it } from "@effect/vitest"
import type { EventOf } from "../../contract/Events.ts"
import { nextRevision, speakerNames, undoable } from "./Speakers.ts"

type Renamed = EventOf<"speaker.renamed">
const base = { _tag: "speaker.renamed", v: 1, mode: "call", session: "01ARZ3NDEKTSV4RRFFQ69G5FAV" } as const
const rename = (log: ReadonlyArray<Renamed>, speaker: string, name: string): ReadonlyArray<Renamed> => [
  ...log,
  { ...base, revision: nextRevision(log), speaker, name }
]
const undo = (log: ReadonlyArray<Renamed>): ReadonlyArray<Renamed> => {
  const last = undoable(log)
  return last === undefined
    ? log
    : [...log, { ...base, revision: nextRevision(log), speaker: last.speaker, name: last.name, undoes: last.revision }]
}
const names = (log: ReadonlyArray<Renamed>) => Object.fromEntries(speakerNames(log))

describe("names of speakers", () => {
  it("are the newest, and undo takes back one rename after the other", () => {
    const one = rename([], "speaker-1", "Anna")
    const two = rename(one, "speaker-2", "Ben")
    const three = rename(two, "speaker-1", "Hanna")
    assert.deepStrictEqual(names(three), { "speaker-1": "Hanna", "speaker-2": "Ben" })
    const back = undo(three)
    assert.deepStrictEqual(names(back), { "speaker-1": "Anna", "speaker-2": "Ben" })
    assert.deepStrictEqual(names(undo(back)), { "speaker-1": "Anna" })
    const none = undo(undo(back))
    assert.deepStrictEqual(names(none), {})
    assert.strictEqual(undo(none), none, "there is nothing left to undo")
  })

  it("go on after an undo, and an empty name is none", () => {
    const log = rename(undo(rename([], "speaker-1", "Anna")), "speaker-1", "Carla")
    assert.deepStrictEqual(names(log), { "speaker-1": "Carla" })
    assert.deepStrictEqual(names(rename(log, "speaker-1", "")), {})
    assert.deepStrictEqual(names(undo(rename(log, "speaker-1", ""))), { "speaker-1": "Carla" })
  })
})
