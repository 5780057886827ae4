/**
 * Subject filters of a client as filters of our streams. A stream refuses a filter that reaches beyond its own subjects
 * (`text.>` on a stream that holds `text.*.call.>`), and refuses two filters that overlap.
 */
import { STREAMS } from "../contract/Subjects.ts"
import { EVENT_STREAMS } from "./Protocol.ts"

/** The subjects that both filters match, as one filter. */
export const intersect = (left: string, right: string): string | undefined => {
  const a = left.split(".")
  const b = right.split(".")
  const both: Array<string> = []
  for (let index = 0; ; index += 1) {
    const x = a[index]
    const y = b[index]
    if (x === undefined && y === undefined) return both.join(".")
    if (x === undefined || y === undefined) return undefined
    if (x === ">") return [...both, ...b.slice(index)].join(".")
    if (y === ">") return [...both, ...a.slice(index)].join(".")
    if (x !== y && x !== "*" && y !== "*") return undefined
    both.push(x === "*" ? y : x)
  }
}

/** Whether the filter matches everything that `other` (a filter or a subject) does. */
export const covers = (filter: string, other: string): boolean => intersect(filter, other) === other

const overlaps = (filters: ReadonlyArray<string>) =>
  filters.some((filter, index) => filters.slice(index + 1).some((other) => intersect(filter, other) !== undefined))

/** Each filter once, without those that another covers. */
const essential = (filters: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(filters)].filter((filter, _index, all) => !all.some((other) => other !== filter && covers(other, filter)))

export interface StreamPlan {
  readonly stream: (typeof EVENT_STREAMS)[number]
  readonly filters: ReadonlyArray<string>
}

/**
 * What to read from which stream. Filters that overlap in part are widened to the stream's own subjects: what arrives
 * must still be checked against the client's filters.
 */
export const planOf = (subjects: ReadonlyArray<string>): ReadonlyArray<StreamPlan> =>
  EVENT_STREAMS.flatMap((stream) => {
    const own = STREAMS.find(({ name }) => name === stream)?.subjects ?? []
    const filters = essential(own.flatMap((subject) => subjects.flatMap((filter) => intersect(filter, subject) ?? [])))
    if (filters.length === 0) return []
    return [{ stream, filters: overlaps(filters) ? own.filter((subject) => filters.some((filter) => covers(subject, filter))) : filters }]
  })
