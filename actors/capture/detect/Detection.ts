/**
 * Notices calls of other programs and says so on the bus (`call.detected`). With `recording.detect: "ask"` it also asks
 * whether to record; nothing is recorded without a yes, and the recording ends with the call. Off unless it is set.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { ulid } from "ulid"
import type { DetectedCall, DetectionReply } from "../../../contract/DetectionCommands.ts"
import type { CallDetected } from "../../../contract/Events.ts"
import { Bus } from "../../../kernel/Bus.ts"
import { encode } from "../../../kernel/Envelope.ts"
import { type Failure, Terminal } from "../../../kernel/Failure.ts"
import { Settings } from "../../../kernel/Settings.ts"
import { Recordings } from "../Recordings.ts"
import { type Heard, step } from "./Calls.ts"
import { detectorOf, UNAVAILABLE } from "./Detector.ts"

export class Detection extends Context.Service<
  Detection,
  {
    readonly status: Effect.Effect<DetectionReply>
    readonly answer: (call: string, record: boolean) => Effect.Effect<DetectionReply, Failure>
    /** Watches for as long as it runs. */
    readonly run: Effect.Effect<void>
  }
>()("voxbus/capture/Detection") {
  static readonly layer: Layer.Layer<Detection, never, Bus | Settings | Recordings> = Layer.effect(
    Detection,
    Effect.suspend(() => make)
  )
}

type Call = Omit<DetectedCall, "seconds">

const make = Effect.gen(function* () {
  const bus = yield* Bus
  const recordings = yield* Recordings
  const { recording: settings } = yield* Settings
  const mode = settings.detect
  const settleMs = settings.detectSeconds * 1000
  const detector = detectorOf(process.platform)
  const calls = new Map<string, Call>()
  let heard: ReadonlyMap<string, Heard> = new Map()

  const wanted = (application: string) =>
    settings.detectApps.length === 0 || settings.detectApps.some((part) => application.toLowerCase().includes(part.toLowerCase()))

  const say = (event: Omit<typeof CallDetected.Type, "_tag" | "v">) =>
    Effect.gen(function* () {
      yield* bus.publish(
        yield* encode({ _tag: "call.detected", v: 1, ...event }, { actor: "capture", cause: "", messageId: `capture:detected:${ulid()}` })
      )
    }).pipe(Effect.catch((failure) => Effect.logWarning("a call could not be announced").pipe(Effect.annotateLogs({ code: failure.code }))))

  const began = Effect.fnUntraced(function* ({ application, since }: Heard) {
    const call = ulid(since)
    // What we record already needs no question: a page that records is itself a program with a microphone.
    const asks = mode === "ask" && recordings.running().length === 0
    calls.set(application, { call, application, startedAtMs: since, asks })
    yield* Effect.logInfo("a program uses the microphone").pipe(Effect.annotateLogs({ application, asks }))
    yield* say({ application, started: true, call, asks })
  })

  const over = Effect.fnUntraced(function* ({ application, since, until }: Heard & { readonly until: number }) {
    const known = calls.get(application)
    calls.delete(application)
    const recordedAs = known?.recordedAs
    if (recordedAs !== undefined)
      yield* recordings.find(recordedAs).pipe(
        Effect.flatMap((recording) => recording.ask("stop")),
        // Somebody stopped it before.
        Effect.ignore
      )
    yield* say({
      application,
      started: false,
      seconds: Math.round((until - since) / 100) / 10,
      ...(known === undefined ? {} : { call: known.call }),
      ...(recordedAs === undefined ? {} : { recordedAs })
    })
  })

  const look = Effect.gen(function* () {
    const users = (yield* detector?.users ?? Effect.succeed(undefined)) ?? []
    const next = step(heard, users.filter(wanted), yield* Clock.currentTimeMillis, settleMs)
    heard = next.heard
    yield* Effect.forEach(next.started, began, { discard: true })
    yield* Effect.forEach(next.ended, over, { discard: true })
    return next.wakeMs
  })

  const run = Effect.gen(function* () {
    if (mode === "off" || detector === undefined) return
    const signs = yield* Queue.sliding<void>(1)
    // A sound server that is restarted is found again.
    yield* detector.changes.pipe(
      Stream.runForEach((sign) => Queue.offer(signs, sign)),
      Effect.ignore,
      Effect.andThen(Queue.offer(signs, undefined)),
      Effect.repeat(Schedule.spaced("5 seconds")),
      Effect.forkScoped
    )
    let wakeMs = yield* look
    for (;;) {
      yield* wakeMs === undefined ? Queue.take(signs) : Queue.take(signs).pipe(Effect.timeoutOption(wakeMs))
      wakeMs = yield* look
    }
  }).pipe(Effect.scoped)

  const status = Effect.gen(function* (): Effect.fn.Return<DetectionReply> {
    const now = yield* Clock.currentTimeMillis
    const available = detector !== undefined && (yield* detector.users) !== undefined
    return {
      mode,
      available,
      detail: available ? "" : detector === undefined ? UNAVAILABLE.platform : UNAVAILABLE.server,
      calls: [...calls.values()].map((call) => ({ ...call, seconds: Math.round((now - call.startedAtMs) / 100) / 10 }))
    }
  })

  return Detection.of({
    status,
    run,
    answer: Effect.fnUntraced(function* (id, record) {
      const found = [...calls.values()].find(({ call }) => call === id)
      if (found === undefined) return yield* new Terminal({ code: "call.unknown", message: `There is no call ${id}; it may have ended.` })
      if (!record) calls.set(found.application, { ...found, asks: false })
      else if (found.recordedAs === undefined) {
        const session = yield* recordings.start({
          source: { kind: "device", device: settings.detectDevice },
          title: `Call in ${found.application}`,
          idempotencyKey: `call:${id}`
        })
        calls.set(found.application, { ...found, asks: false, recordedAs: session })
      }
      return yield* status
    })
  })
})
