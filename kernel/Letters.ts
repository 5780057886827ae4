/**
 * Dead letters and what was done about them: a fold of the streams `DLQ` and `RETRY`. A letter is never changed; a retry,
 * a drop and its restoration are messages of their own.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Letter } from "../contract/DlqCommands.ts"
import { ErrorCode } from "../contract/Errors.ts"
import { HEADERS } from "../contract/Subjects.ts"
import { Bus, type Recorded } from "./Bus.ts"
import { DEAD, ownerOf } from "./DeadLetters.ts"
import { Terminal } from "./Failure.ts"
import { eventAt, RETRY_STREAM, retryConsumer } from "./Retries.ts"

const isCode = Schema.is(ErrorCode)
const NOTHING = new Uint8Array()

/** What the letter itself says. */
const factsOf = ({ headers, sequence, time }: Recorded): Omit<Letter, "state"> => {
  const subject = headers[DEAD.subject] ?? ""
  const owner = ownerOf(subject)
  const code = headers[DEAD.code]
  const retryOf = headers[HEADERS.retry]
  return {
    id: sequence,
    actor: headers[HEADERS.actor] ?? "",
    event: headers[HEADERS.cause] ?? "",
    subject,
    ...(owner === undefined ? {} : { session: owner.session }),
    ...(owner?.unit === undefined ? {} : { unit: owner.unit }),
    code: isCode(code) ? code : "internal",
    message: headers[DEAD.message] ?? "",
    attempts: Number(headers[DEAD.attempts] ?? 0),
    at: new Date(time).toISOString(),
    ...(retryOf === undefined ? {} : { retryOf: Number(retryOf) })
  }
}

/** The newest message about each letter, by its number. */
const newest = (records: ReadonlyArray<Recorded>): ReadonlyMap<number, Recorded> =>
  new Map(records.map((record) => [Number(record.headers[HEADERS.retry] ?? 0), record]))

/** Whether the actor is done with a retry. Any wait will do: the consumer is there, and only asked how far it is. */
const isSettled = Effect.fnUntraced(function* (retry: Recorded) {
  const bus = yield* Bus
  const consumer = yield* bus.consumer(retryConsumer(retry.subject.split(".")[1] ?? "", 2_500))
  return yield* consumer.settled(retry.sequence)
})

/** All letters with their state, the oldest first. */
export const letters = Effect.gen(function* () {
  const bus = yield* Bus
  const done = yield* Stream.runCollect(bus.read(RETRY_STREAM, { filters: ["retry.>", "letter.>"] }))
  const latest = newest(done)
  const retries = [...latest].filter(([, mark]) => mark.subject.startsWith("retry."))
  const ended = yield* Effect.forEach(retries, ([id, mark]) => Effect.map(isSettled(mark), (settled) => [id, settled] as const))
  const settled = new Map(ended)
  // Read last: a retry that failed has its letter before it is settled.
  const found = (yield* Stream.runCollect(bus.read("DLQ", { filters: ["dlq.>"] }))).map(factsOf)
  const newerThan = new Map(found.flatMap(({ id, retryOf }) => (retryOf === undefined ? [] : [[retryOf, id] as const])))
  return found.map((facts): Letter => {
    const newer = newerThan.get(facts.id)
    const of = (state: Letter["state"]): Letter => ({ ...facts, state, ...(newer === undefined ? {} : { newer }) })
    if (latest.get(facts.id)?.subject.startsWith("letter.dropped.") === true) return of("dropped")
    if (newer !== undefined) return of("failed")
    const retried = settled.get(facts.id)
    return of(retried === undefined ? "open" : retried ? "done" : "retrying")
  })
})

const unknown = (id: number) => new Terminal({ code: "letter.unknown", message: `There is no dead letter ${id}.` })

/** The letter with this number; where its retry failed, the letter of that failure. */
const newestOf = (all: ReadonlyArray<Letter>, id: number): Letter | undefined => {
  const letter = all.find((each) => each.id === id)
  return letter?.newer === undefined ? letter : newestOf(all, letter.newer)
}

/** The letters of a choice, each once. */
export const chosen = Effect.fnUntraced(function* (choice: { readonly ids?: ReadonlyArray<number>; readonly all?: boolean }) {
  const all = yield* letters
  if (choice.all === true) return all.filter(({ state }) => state === "open")
  if (choice.ids === undefined || choice.ids.length === 0) {
    return yield* new Terminal({ code: "input.invalid", message: "Name dead letters by their numbers, or ask for all." })
  }
  const found = yield* Effect.forEach(choice.ids, (id) => {
    const letter = newestOf(all, id)
    return letter === undefined ? Effect.fail(unknown(id)) : Effect.succeed(letter)
  })
  return [...new Map(found.map((letter) => [letter.id, letter])).values()]
})

/** One letter as it is, and the body of its event. */
export const letterWithBody = Effect.fnUntraced(function* (id: number) {
  const letter = (yield* letters).find((each) => each.id === id)
  if (letter === undefined) return yield* unknown(id)
  const event = yield* Effect.option(eventAt(letter.event, letter.subject))
  return { letter, ...(event._tag === "None" ? {} : { body: new TextDecoder().decode(event.value.data) }) }
})

/** Gives the event back to its actor. A letter that is being retried, or is done, is left alone. */
export const retryLetter = Effect.fnUntraced(function* (letter: Letter) {
  if (letter.state !== "open" && letter.state !== "dropped") return letter
  const bus = yield* Bus
  yield* eventAt(letter.event, letter.subject)
  yield* bus.publish({
    subject: ["retry", letter.actor, ...letter.subject.split(".").slice(2)].join("."),
    data: NOTHING,
    messageId: `retry:${letter.id}`,
    headers: {
      [HEADERS.cause]: letter.event,
      [HEADERS.retry]: String(letter.id),
      [DEAD.subject]: letter.subject
    }
  })
  return { ...letter, state: "retrying" as const }
})

/** Sets a letter aside, or takes that back. */
export const markLetter = Effect.fnUntraced(function* (letter: Letter, mark: "dropped" | "restored") {
  const from = mark === "dropped" ? "open" : "dropped"
  if (letter.state !== from) return letter
  const bus = yield* Bus
  yield* bus.publish({ subject: `letter.${mark}.${letter.id}`, data: NOTHING, headers: { [HEADERS.retry]: String(letter.id) } })
  return { ...letter, state: mark === "dropped" ? ("dropped" as const) : ("open" as const) }
})
