/** The debug pages: what goes on and what went wrong, gathered from what other commands know. */
import * as Effect from "effect/Effect"
import { freemem, totalmem } from "node:os"
import * as Contract from "../../contract/DebugCommands.ts"
import { handler } from "../../kernel/Commands.ts"
import { waiting } from "../../kernel/folds/JobQueue.ts"
import { everything } from "../../kernel/History.ts"
import { memoryOf, treeOf } from "../../kernel/ProcessMemory.ts"
import { configPath, Settings } from "../../kernel/Settings.ts"
import { withoutSecrets } from "../../kernel/WithoutSecrets.ts"
import { Library } from "../../library/Library.ts"
import { VERSION } from "../commands/version.ts"
import { readQueue } from "../jobs/Queue.ts"
import { actorsStatus } from "./Actors.ts"
import { effective, toJson } from "./Config.ts"
import { conversationState } from "./Conversation.ts"
import { iso } from "./Jobs.ts"
import { recordingStatus } from "./Recording.ts"

/** Entries of a list, at most: an answer fits a message of the bus. */
const LISTED = 100
const ERRORS = 50
const ACTIVE = ["queued", "open", "transcribing", "bundling"] as const

const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10

const state = handler(Contract.DebugState, () =>
  Effect.gen(function* () {
    const { host } = yield* Settings
    const recording = yield* recordingStatus()
    return {
      version: VERSION,
      node: process.version,
      platform: process.platform,
      pid: process.pid,
      uptimeSeconds: Math.floor(process.uptime()),
      offline: host.offline,
      assistant: yield* conversationState(),
      call: { state: recording.state, ...(recording.session === undefined ? {} : { session: recording.session }) },
      actors: (yield* actorsStatus).map(({ actor, health, detail, level }) => ({ actor, health, detail, level }))
    }
  })
)

const sessions = handler(Contract.DebugSessions, () =>
  Effect.gen(function* () {
    const library = yield* Library
    const found = yield* Effect.forEach(ACTIVE, (state) => library.list({ limit: LISTED, state }))
    return { sessions: found.flat().toSorted((a, b) => (a.session < b.session ? 1 : -1)) }
  })
)

const queue = handler(Contract.DebugQueue, () =>
  Effect.map(readQueue, (queue) => {
    const all = [...queue.jobs.values()]
    const counts = { queued: 0, held: 0, running: 0, done: 0, failed: 0, cancelled: 0 }
    for (const { state } of all) counts[state] += 1
    const jobs = [...all.filter(({ state }) => state === "running"), ...waiting(queue)].slice(0, LISTED)
    return {
      counts,
      jobs: jobs.map(({ session, state, job, priority, queuedAt }) => ({
        session,
        state,
        title: job.title,
        priority,
        queuedAt: iso(queuedAt)
      }))
    }
  })
)

const errors = handler(Contract.DebugErrors, ({ limit = ERRORS }) =>
  Effect.gen(function* () {
    const found = yield* Effect.forEach(["call", "assistant"] as const, (mode) => everything(mode, ["error.raised", "job.failed"], 1))
    const newest = found
      .flat()
      .toSorted((a, b) => b.time - a.time)
      .slice(0, limit)
    return {
      errors: newest.map(({ event, time }) => ({
        at: iso(time),
        mode: event.mode,
        session: event.session,
        event: event._tag,
        actor: event._tag === "error.raised" ? event.actor : "",
        code: event.code,
        message: event.message
      }))
    }
  })
)

const processes = () =>
  process.platform === "linux"
    ? memoryOf(treeOf(process.pid)).map(({ pid, name, rss, pss }) => ({ pid, name, rssMB: rss, pssMB: pss }))
    : [{ pid: process.pid, name: "launcher", rssMB: megabytes(process.memoryUsage.rss()) }]

const memory = handler(Contract.DebugMemory, () =>
  Effect.sync(() => ({
    totalMB: megabytes(totalmem()),
    freeMB: megabytes(freemem()),
    heapMB: megabytes(process.memoryUsage().heapUsed),
    processes: processes()
  }))
)

const config = handler(Contract.DebugConfig, () =>
  Effect.gen(function* () {
    const { home } = yield* Settings
    return { file: configPath(home), value: withoutSecrets(toJson(yield* effective)) }
  })
)

export const debugHandlers = [state, sessions, queue, errors, memory, config]
