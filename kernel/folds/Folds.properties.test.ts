/** What must hold of the folds for any events in any order: sense or nonsense, once or twice. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { Event, EventOf, SessionEvent } from "../../contract/Events.ts"
import { defaultSessionConfig as config } from "../../contract/Session.ts"
import type { Logged } from "../Actor.ts"
import { runsOf } from "../testkit/Properties.ts"
import { callState, initial, MATRIX, PHASES, step, timers } from "./CallState.ts"
import { advance, emptyQueue, type QueueTag, running, startable, waiting } from "./JobQueue.ts"
import { callStage } from "./Stage.ts"
import { currentTranscript, keptInstead, nextVersion } from "./Transcripts.ts"
import { STAGES, turnState } from "./TurnState.ts"

const id = (name: string) => name.padEnd(26, "0")
const base = { v: 1, mode: "call", session: id("A") } as const
/** Only what the folds look at. */
const event = (_tag: Event["_tag"], more: object = {}) => ({ _tag, ...base, ...more }) as unknown as SessionEvent

const position = fc.nat({ max: 1_000_000 })
const n = fc.integer({ min: 1, max: 4 })
const anEvent: fc.Arbitrary<SessionEvent> = fc.oneof(
  fc.record({ title: fc.constant("T"), source: fc.constant({ kind: "file", name: "" }) }).map((of) => event("session.opened", of)),
  fc.constant(event("session.started", { epochMs: 0, sampleRate: 8_000, channels: 1 })),
  fc.record({ n, at: position, reason: fc.constantFrom("user", "device.missing") }).map((of) => event("session.paused", of)),
  fc.record({ n, at: position }).map((of) => event("session.resumed", of)),
  fc.record({ n, at: position }).map((of) => event("session.recovering", of)),
  fc.record({ n, untilMs: position }).map((of) => event("session.discarded", of)),
  n.map((of) => event("session.restored", { n: of })),
  n.map((of) => event("session.warned", { n: of, message: "!" })),
  fc.constantFrom("stopped", "cancelled", "interrupted", "complete").map((reason) => event("session.closed", { reason, captured: 1 })),
  fc.record({ unit: n }).map((of) => event("audio.normalized", of)),
  fc.record({ chunks: fc.nat({ max: 4 }), samples: position }).map((of) => event("audio.completed", of)),
  fc.record({ unit: n }).map((of) => event("text.transcribed", of)),
  fc.record({ unit: n }).map((of) => event("text.rejected", of)),
  fc.record({ version: n }).map((of) => event("transcript.requested", of)),
  fc.record({ version: n }).map((of) => event("transcript.completed", of)),
  fc.record({ version: n }).map((of) => event("bundle.ready", of)),
  fc.constant(event("job.failed", { code: "internal", message: "x" })),
  fc
    .record({
      actor: fc.constantFrom("capture", "transcriber", "bundler"),
      unit: n,
      code: fc.constant("engine.failed"),
      message: fc.constant("x")
    })
    .map(({ unit, ...of }) => event("error.raised", of.actor === "transcriber" ? { ...of, unit } : of))
)
const log = fc.array(fc.record({ event: anEvent, wait: fc.nat({ max: 5_000 }) }), { maxLength: 40 }).map((entries) =>
  entries.map((entry, index) => ({
    event: entry.event,
    time: 1_000 + entries.slice(0, index + 1).reduce((sum, { wait }) => sum + wait, 0)
  }))
)

describe("the state of a call", () => {
  it("moves along the matrix only, and never backwards in what is settled", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(log, (entries) => {
        let state = initial
        for (const { event: next, time } of entries) {
          const after = step(state, next, time)
          assert.isTrue(PHASES.includes(after.phase))
          if (after.refused !== undefined) {
            assert.strictEqual(after.phase, state.phase, "a refused event changes no state")
            assert.isFalse(MATRIX[after.refused.from].includes(after.refused.to), "only what is forbidden is refused")
          }
          assert.isAtLeast(after.settled.size, state.settled.size)
          state = after
        }
        assert.deepStrictEqual(state, callState(entries))
      }),
      { numRuns: runsOf(1_000) }
    )
  })

  it("accounts for every millisecond since the first event that counted", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(log, fc.nat({ max: 10_000 }), (entries, later) => {
        const state = callState(entries)
        const now = (entries.at(-1)?.time ?? 0) + later
        const first = entries.find(({ event: each }, index) => callState(entries.slice(0, index + 1)).since > 0 && each._tag !== undefined)
        const total = Object.values(timers(state, now)).reduce((sum, value) => sum + value, 0)
        assert.approximately(total, first === undefined ? 0 : (now - first.time) / 1_000, 0.02)
      }),
      { numRuns: runsOf(500) }
    )
  })
})

describe("the stage of a session", () => {
  it("is one of its names for any log, and a finished call is finished", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(log, (entries) => {
        const events = entries.map((entry) => entry.event)
        assert.include(
          ["IDLE", "INITIALIZING", "RECORDING", "NORMALIZING", "TRANSCRIBING", "BUNDLING", "COMPLETED", "ERROR"],
          callStage(events)
        )
        assert.include(STAGES, turnState(events).stage)
        const done = [...events, event("transcript.completed", { version: 9 }), event("bundle.ready", { version: 9 })]
        assert.strictEqual(callStage(done), "COMPLETED")
      }),
      { numRuns: runsOf(1_000) }
    )
  })
})

const version = fc.record({ version: fc.integer({ min: 1, max: 6 }), words: fc.nat({ max: 3 }), repair: fc.boolean(), line: n })
type Version = { readonly version: number; readonly words: number; readonly repair: boolean; readonly line: number }

describe("the transcript that counts", () => {
  it("never loses words to a version without any, and every version has a number of its own", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(fc.uniqueArray(version, { selector: ({ version: number }) => number, maxLength: 6 }), (given: ReadonlyArray<Version>) => {
        const versions = given.toSorted((a, b) => a.version - b.version)
        const requested = versions.map((each) => ({
          ...base,
          _tag: "transcript.requested" as const,
          version: each.version,
          reason: each.repair ? ("repair" as const) : ("model" as const),
          ...(each.repair ? { repairs: Math.min(each.line, each.version) } : {}),
          config
        }))
        let completed: ReadonlyArray<EventOf<"transcript.completed">> = []
        for (const { version: number, words } of versions) {
          const before = currentTranscript(completed)
          const current = keptInstead({ version: number, words }, requested, completed)
          const next = { ...event("transcript.completed", { version: number, words, ...(current === undefined ? {} : { current }) }) }
          if (next._tag === "transcript.completed") completed = [...completed, next]
          const now = currentTranscript(completed)
          assert.isDefined(now)
          if ((before?.words ?? 0) > 0) assert.isAbove(now?.words ?? 0, 0, "words were there and are gone")
          assert.isAbove(nextVersion(requested, completed), number)
        }
        assert.deepStrictEqual(currentTranscript(completed.toReversed()), currentTranscript(completed), "whatever order they are read in")
      }),
      { numRuns: runsOf(1_000) }
    )
  })
})

const names = ["A", "B", "C", "D"]
const job = fc.constantFrom(...names)
const queueEvent = fc.oneof(
  fc.record({ name: job, priority: fc.nat({ max: 9 }) }).map(({ name, priority }) => ({ _tag: "job.queued", session: id(name), priority })),
  fc
    .record({ name: job, of: fc.constantFrom("job.started", "job.cancelled", "job.failed", "bundle.ready") })
    .map(({ name, of }) => ({ _tag: of, session: id(name) })),
  fc
    .record({ name: job, priority: fc.nat({ max: 9 }), order: fc.integer({ min: -50, max: 50 }), held: fc.boolean(), revision: n })
    .map(({ name, ...of }) => ({ _tag: "job.arranged", session: id(name), ...of }))
)
const queueLog = fc.array(queueEvent, { maxLength: 40 }).map((events) =>
  events.map((of, index) => ({
    event: { v: 1, mode: "call", ...of } as unknown as EventOf<QueueTag>,
    subject: "",
    stream: "CALLS" as const,
    sequence: index + 1,
    time: index,
    actor: "",
    cause: ""
  }))
)

describe("the queue of calls", () => {
  it("is the same however its log is read, starts no more than may run, and nothing twice", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(queueLog, fc.nat({ max: 40 }), fc.nat({ max: 4 }), (entries: ReadonlyArray<Logged<EventOf<QueueTag>>>, cut, limit) => {
        const whole = advance(emptyQueue, entries)
        assert.deepStrictEqual(advance(advance(emptyQueue, entries.slice(0, cut)), entries.slice(cut)), whole)
        const next = startable(whole, limit)
        assert.isAtMost(next.length, Math.max(0, limit - running(whole).length))
        for (const { state } of next) assert.strictEqual(state, "queued")
        const line = waiting(whole)
        for (const [index, each] of line.entries())
          assert.isTrue(index === 0 || (line[index - 1]?.priority ?? 9) >= each.priority, "in order of priority")
        assert.strictEqual(new Set(line.map(({ session }) => session)).size, line.length)
        const queued = new Set(entries.filter((entry) => entry.event._tag === "job.queued").map((entry) => entry.event.session))
        assert.deepStrictEqual(new Set(whole.jobs.keys()), queued, "every job that was queued, and no other")
      }),
      { numRuns: runsOf(1_000) }
    )
  })
})
