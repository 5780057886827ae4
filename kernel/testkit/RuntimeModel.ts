/**
 * A model of what may happen to an actor: inputs come, processes start, die at any of their operations on the bus, fail,
 * and time passes. A story is a list of such commands; whatever the story, the laws hold in the end. It runs on any bus:
 * in memory under `TestClock` in no time, and on a real server.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { ulid } from "ulid"
import type { Event } from "../../contract/Events.ts"
import { HEADERS } from "../../contract/Subjects.ts"
import * as Actor from "../Actor.ts"
import { Bus } from "../Bus.ts"
import { encode } from "../Envelope.ts"
import { type Failure, Retryable, Terminal } from "../Failure.ts"
import { consumersOf, start } from "../Runtime.ts"

/** One try of the actor: so many outputs, then this. */
export interface Try {
  readonly after: number
  readonly how: "retryable" | "terminal" | "defect"
}

export type Command =
  | { readonly kind: "put"; readonly tries: ReadonlyArray<Try> }
  | { readonly kind: "start" }
  /** The process dies at its `after`-th operation from now, before or after the bus has done it. */
  | { readonly kind: "crash"; readonly process: number; readonly after: number; readonly done: boolean }
  | { readonly kind: "wait"; readonly ms: number }

export type Story = ReadonlyArray<Command>

const OUTPUTS = 3
const ATTEMPTS = 3
export const ACK_WAIT_MS = 1_000

const aTry = fc.record({
  after: fc.nat({ max: OUTPUTS }),
  how: fc.constantFrom<Try["how"]>("retryable", "retryable", "terminal", "defect")
})
const aCommand = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("put" as const), tries: fc.array(aTry, { maxLength: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("start" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("crash" as const),
      process: fc.nat({ max: 3 }),
      after: fc.nat({ max: 9 }),
      done: fc.boolean()
    })
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(0, 10, 200, ACK_WAIT_MS) }) }
)
export const stories: fc.Arbitrary<Story> = fc.array(aCommand, { minLength: 1, maxLength: 24 })

type BusShape = (typeof Bus)["Service"]
interface Fate {
  dead: boolean
  /** Operations that are left to it; undefined: it lives on. */
  left?: number
  done: boolean
}

/** The bus as a process sees it that can die at any operation: then nothing it does has any effect. */
const mortal = (bus: BusShape, fate: Fate): BusShape => {
  const operation = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      if (fate.dead) return Effect.never
      if (fate.left === undefined) return work
      if (fate.left > 0) {
        fate.left -= 1
        return work
      }
      fate.dead = true
      return fate.done ? Effect.andThen(Effect.exit(work), Effect.never) : Effect.never
    })
  const unlessDead = (work: Effect.Effect<void>) => Effect.suspend(() => (fate.dead ? Effect.void : work))
  return Bus.of({
    ...bus,
    publish: (message) => operation(bus.publish(message)),
    consumer: (spec) =>
      Effect.map(bus.consumer(spec), (consumer) => ({
        ...consumer,
        next: (waitMs) =>
          Effect.suspend(() => (fate.dead ? Effect.never : consumer.next(waitMs))).pipe(
            Effect.map(
              (delivery) =>
                delivery && {
                  ...delivery,
                  ack: operation(delivery.ack),
                  drop: (reason) => operation(delivery.drop(reason)),
                  retry: (delayMs) => unlessDead(delivery.retry(delayMs)),
                  working: unlessDead(delivery.working)
                }
            )
          )
      }))
  })
}

const failureOf = (how: Try["how"]): Effect.Effect<never, Failure> => {
  if (how === "defect") return Effect.die(new Error("bug"))
  return Effect.fail(
    how === "terminal"
      ? new Terminal({ code: "audio.unreadable", message: "never" })
      : new Retryable({ code: "engine.failed", message: "not now", delayMs: 1 })
  )
}

interface Input {
  readonly session: string
  readonly sequence: number
  readonly tries: ReadonlyArray<Try>
}

/** Runs a story to its end; returns what is wrong with it, or nothing. Needs a clock that somebody drives. */
export const play = Effect.fnUntraced(
  function* (story: Story) {
    const bus = yield* Bus
    const name = `model-${ulid()}`
    const inputs: Array<Input> = []
    const tried = new Map<string, number>()
    const processes: Array<{ readonly fate: Fate; readonly scope: Scope.Closeable }> = []
    const plans = new Map<string, ReadonlyArray<Try>>()

    const handle = (event: Event): Stream.Stream<Event, Failure> => {
      if (event._tag !== "session.closed" || !plans.has(event.session)) return Stream.empty
      const { session } = event
      const n = tried.get(session) ?? 0
      tried.set(session, n + 1)
      const now = plans.get(session)?.[n]
      const outputs = Array.from({ length: now?.after ?? OUTPUTS }, (_, index): Event => ({
        _tag: "text.partial",
        v: 1,
        mode: "call",
        session,
        unit: 1,
        revision: index + 1,
        text: "x"
      }))
      return Stream.fromIterable(outputs).pipe(Stream.concat(now === undefined ? Stream.empty : Stream.fromEffect(failureOf(now.how))))
    }
    const actor = Actor.make({
      name,
      logicVersion: 1,
      attempts: ATTEMPTS,
      consumes: [{ mode: "call", tags: ["session.closed"], concurrency: 2 }],
      publishes: ["text.partial"],
      handle
    })
    const spec = consumersOf(actor, ACK_WAIT_MS)[0]
    if (spec === undefined) return ["no consumer"]
    // From here on: on a real server other stories have been told before.
    const consumer = yield* bus.consumer({ ...spec, from: "new" })

    const launch = Effect.gen(function* () {
      const fate: Fate = { dead: false, done: false }
      const scope = yield* Scope.make()
      yield* start(actor, { ackWaitMs: ACK_WAIT_MS, aside: true }).pipe(
        Effect.provideService(Bus, mortal(bus, fate)),
        Effect.provideService(Scope.Scope, scope)
      )
      processes.push({ fate, scope })
    })
    const put = Effect.fnUntraced(function* (tries: ReadonlyArray<Try>) {
      const session = ulid()
      plans.set(session, tries)
      const event: Event = { _tag: "session.closed", v: 1, mode: "call", session, reason: "complete", captured: 1 }
      const { sequence } = yield* bus.publish(yield* encode(event, { actor: "model", cause: "", messageId: `model:${session}` }))
      inputs.push({ session, sequence, tries })
    })
    for (const command of story) {
      if (command.kind === "put") yield* put(command.tries)
      else if (command.kind === "start") yield* launch
      else if (command.kind === "wait") yield* Effect.sleep(command.ms)
      else {
        const process = processes[command.process % Math.max(1, processes.length)]
        if (process !== undefined && !process.fate.dead) Object.assign(process.fate, { left: command.after, done: command.done })
      }
    }
    // What was still alive may yet die; one process lives.
    yield* launch
    const last = inputs.at(-1)?.sequence ?? 0
    const ended = yield* consumer
      .settled(last)
      .pipe(
        Effect.repeat({ until: (settled) => settled || last === 0, schedule: Schedule.spaced("50 millis") }),
        Effect.timeoutOption("120 seconds")
      )
    for (const { fate, scope } of processes) {
      fate.dead = true
      yield* Scope.close(scope, Exit.void)
    }
    yield* bus.forget({ stream: "CALLS", durable: name }).pipe(Effect.ignore)
    if (ended._tag === "None") return ["not everything was settled"]
    return (yield* Effect.forEach(inputs, (input) => judge(name, input))).flat()
  },
  Effect.provideService(References.MinimumLogLevel, "None")
)

/** Every input ended in all of its outputs, once and in order, or in one dead letter that had a reason. */
const judge = Effect.fnUntraced(function* (name: string, { session, sequence, tries }: Input) {
  const bus = yield* Bus
  const records = yield* Stream.runCollect(bus.read("CALLS", { filters: [`*.*.call.${session}.>`] }))
  const letters = yield* Stream.runCollect(bus.read("DLQ", { filters: [`dlq.${name}.call.${session}`] }))
  const outputs = records.filter(({ subject }) => subject.startsWith("text.partial."))
  const errors = records.filter(({ subject }) => subject.startsWith("error.raised."))
  const revisions = outputs.map(({ subject }) => Number(subject.split(".").at(-1)))
  const wrong: Array<string> = []
  const claim = (holds: boolean, what: string) => void (holds || wrong.push(`${what}: outputs ${revisions.join(" ")}`))
  claim(
    revisions.every((revision, index) => revision === index + 1),
    "outputs are there once and in order"
  )
  claim(
    outputs.every(({ headers }) => headers[HEADERS.cause] === `CALLS:${sequence}`),
    "every output names its cause"
  )
  claim(errors.length === letters.length && letters.length <= 1, `${letters.length} letters, ${errors.length} x error.raised`)
  if (letters.length === 0) claim(revisions.length === OUTPUTS, "an input that is not dead is done")
  else
    claim(
      tries.some(({ how }) => how === "terminal") || tries.length >= ATTEMPTS,
      "nothing is given up that did not fail for good, or often enough"
    )
  return wrong
})
