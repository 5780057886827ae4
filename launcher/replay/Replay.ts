/**
 * Runs the recorded inputs of a session through today's actors on a bus in memory, and compares what comes of it with
 * what the log has. The actors are the real declarations under the real runtime; only the bundler stops at the
 * transcript.
 *
 * The inputs of a call are all there at once, so that its chunks are worked on side by side. Those of a conversation come
 * in their recorded order, each after the one before has been answered: what the model sees of earlier turns depends on it.
 */
import * as Effect from "effect/Effect"
import * as Context from "effect/Context"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type ReplayReport, type Stage, STAGES } from "../../contract/HistoryCommands.ts"
import { SessionConfig, type SessionId } from "../../contract/Session.ts"
import { eventStream, HEADERS } from "../../contract/Subjects.ts"
import { bundlerActor } from "../../actors/bundler/index.ts"
import { Bus, type Consumer, type Recorded } from "../../kernel/Bus.ts"
import { decode } from "../../kernel/Envelope.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { consumersOf, start } from "../../kernel/Runtime.ts"
import { Settings } from "../../kernel/Settings.ts"
import { ACTORS, type Base } from "../Registry.ts"
import { CLOCKED, compareBodies, compareTexts, compareTimings, decoded } from "./Compare.ts"
import { isTree, override } from "./Override.ts"
import { type Recording, recordingOf } from "./Recording.ts"
import { scratch } from "./Scratch.ts"

export interface ReplayRequest {
  readonly session: SessionId
  readonly fromStage?: Stage
  readonly engine?: string
  readonly model?: string
}

const STAGES_OF = {
  call: ["normalizer", "transcriber", "bundler"],
  assistant: ["normalizer", "transcriber", "reasoner", "speaker"]
} as const satisfies Record<Recording["mode"], ReadonlyArray<Stage>>

const ACK_WAIT_MS = 10_000
const POLL = "5 millis"

/** The stages that work again. */
const stagesFrom = (mode: Recording["mode"], first: Stage): Effect.Effect<ReadonlyArray<Stage>, Terminal> => {
  const all: ReadonlyArray<Stage> = STAGES_OF[mode]
  return all.includes(first)
    ? Effect.succeed(all.slice(all.indexOf(first)))
    : Effect.fail(new Terminal({ code: "input.invalid", message: `A session of mode ${mode} has no ${first}; it has ${all.join(", ")}.` }))
}

const decodeConfig = Schema.decodeUnknownEffect(SessionConfig)

/** An input as it is published again; with another configuration where one was asked for. */
const inputOf = (record: Recorded, stages: ReadonlyArray<Stage>, request: ReplayRequest) => {
  if (request.engine === undefined && request.model === undefined) return record.data
  const body: unknown = JSON.parse(new TextDecoder().decode(record.data))
  return isTree(body) && "config" in body
    ? new TextEncoder().encode(JSON.stringify({ ...body, config: override(body["config"], stages, request) }))
    : record.data
}

const unitOf = ({ subject }: Recorded): number => Number(/^\d{6}$/.exec(subject.split(".")[4] ?? "")?.[0] ?? 0)
const isAnswer = ({ subject }: Recorded): boolean => /^(turn\.cancelled|tool\.|reply\.|speech\.synthesized)/.test(subject)

/**
 * What is given and what is to be made again. Answers that a person cut short, or that called tools, are given, before
 * what they answer: no replay may do again what a tool did.
 */
const split = (records: ReadonlyArray<Recorded>, stages: ReadonlyArray<Stage>) => {
  const cut = new Set(records.filter(({ subject }) => /^(turn\.cancelled|tool\.called)\./.test(subject)).map(unitOf))
  const isCut = (record: Recorded) => isAnswer(record) && cut.has(unitOf(record))
  const isOutput = (record: Recorded) => !isCut(record) && stages.some((stage) => stage === record.headers[HEADERS.actor])
  const firstOfUnit = (unit: number) => records.find((record) => unitOf(record) === unit)?.sequence ?? 0
  const place = (record: Recorded) => (isCut(record) ? firstOfUnit(unitOf(record)) - 0.5 : record.sequence)
  return {
    inputs: records.filter((record) => !isOutput(record)).toSorted((a, b) => place(a) - place(b)),
    outputs: records.filter(isOutput),
    cutTurns: [...cut]
  }
}

/** Starts the actors of these stages, with the settings that the session was opened with. */
const startStages = (stages: ReadonlyArray<Stage>) =>
  Effect.forEach(stages, (stage) =>
    stage === "bundler"
      ? start(
          {
            ...bundlerActor,
            handle: (event, context) =>
              bundlerActor.handle(event, context).pipe(Stream.takeUntil(({ _tag }) => _tag === "transcript.completed"))
          },
          { ackWaitMs: ACK_WAIT_MS }
        )
      : Effect.flatMap(
          Effect.promise(async () => ACTORS.find(({ name }) => name === stage)?.load()),
          (loaded) => loaded?.start(ACK_WAIT_MS) ?? Effect.void
        )
  )

/** Returns when nothing is left to do. */
const quiet = (consumers: ReadonlyArray<Consumer>, stream: "CALLS" | "ASSISTANT") =>
  Effect.gen(function* () {
    const bus = yield* Bus
    const last = Effect.map(bus.last(stream, [">"]), (records) => records.at(-1)?.sequence ?? 0)
    const before = yield* last
    const settled = yield* Effect.forEach(consumers, (consumer) => consumer.settled(before))
    // An output is on the log before its input is acknowledged: nothing new and all settled is the end.
    return settled.every((each) => each) && (yield* last) === before
  }).pipe(Effect.repeat({ until: (done) => done, schedule: Schedule.spaced(POLL) }))

const configOf = (records: ReadonlyArray<Recorded>, stages: ReadonlyArray<Stage>, request: ReplayRequest) =>
  Effect.gen(function* () {
    const opened = records.find(({ subject }) => subject.startsWith("session.opened."))
    if (opened === undefined) {
      return yield* new Terminal({ code: "session.unknown", message: `The log does not hold the beginning of ${request.session}.` })
    }
    const event = yield* decode(opened)
    const config = "config" in event ? event.config : {}
    return yield* decodeConfig(override(config, stages, request)).pipe(
      Effect.mapError(
        (cause) => new Terminal({ code: "input.invalid", message: `There is no such engine or model: ${cause.message}`, cause })
      )
    )
  })

/** Plays the inputs on a bus of their own; returns everything that is on it then. */
const play = Effect.fnUntraced(function* (
  recording: Recording,
  inputs: ReadonlyArray<Recorded>,
  stages: ReadonlyArray<Stage>,
  request: ReplayRequest
) {
  const bus = yield* Bus
  const stream = eventStream(recording.mode) === "CALLS" ? "CALLS" : "ASSISTANT"
  yield* startStages(stages)
  const consumers = yield* Effect.forEach(
    ACTORS.filter(({ name }) => stages.some((stage) => stage === name)),
    (entry) =>
      Effect.gen(function* () {
        const { declaration } = yield* Effect.promise(entry.load)
        const specs = consumersOf(declaration, ACK_WAIT_MS).filter((spec) => spec.stream === stream)
        return yield* Effect.forEach(specs, bus.consumer)
      })
  )
  const settle = quiet(consumers.flat(), stream)
  for (const record of inputs) {
    yield* bus.publish({ subject: record.subject, data: inputOf(record, stages, request), headers: record.headers })
    if (recording.mode === "assistant") yield* settle
  }
  yield* settle
  return yield* Stream.runCollect(bus.read(stream, { filters: [">"] }))
})

const codes = (events: Iterable<{ readonly _tag: string }>): ReadonlyArray<string> =>
  [...events].flatMap((event) => (event._tag === "error.raised" && "code" in event ? [String(event.code)] : []))

export const replay = Effect.fnUntraced(function* (request: ReplayRequest): Effect.fn.Return<ReplayReport, Failure, Base> {
  const recording = yield* recordingOf(request.session)
  return yield* replayRecording(recording, request)
}, Effect.scoped)

/** The same for a session that is not on a log, such as one of a recorded history. */
export const replayRecording = Effect.fnUntraced(function* (recording: Recording, request: ReplayRequest) {
  const { mode, session, records } = recording
  const first = request.fromStage ?? STAGES[0]
  const stages = yield* stagesFrom(mode, first)
  const config = yield* configOf(records, stages, request)
  const { inputs, outputs, cutTurns } = split(records, stages)
  const services = Context.add(yield* scratch, Settings, { ...(yield* Settings), session: config })
  const all = yield* play(recording, inputs, stages, request).pipe(Effect.provide(services))
  const made = all.filter((record) => stages.some((stage) => stage === record.headers[HEADERS.actor]))
  const given = new Set(inputs.map(({ subject }) => subject))
  const replayed = made.filter(({ subject }) => !given.has(subject))
  const before = yield* decoded(records)
  const after = yield* decoded(all)
  const report: ReplayReport = {
    session,
    mode,
    stages,
    ...(yield* compareBodies(outputs, replayed)),
    errors: { recorded: codes(before.values()), replayed: codes(after.values()) },
    cutTurns,
    texts: compareTexts([...before.values()], [...after.values()]),
    timings: compareTimings(stages, before, after),
    clocked: Object.fromEntries(Object.entries(CLOCKED))
  }
  return report
}, Effect.scoped)
