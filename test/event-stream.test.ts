/** Events as clients follow them, over a bus that is slow or fails at the wrong moment: nothing is missed. */
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { ulid } from "ulid"
import { Recorder, Recordings } from "../actors/capture/index.ts"
import { GatewayAddress, gatewayWith } from "../gateway/index.ts"
import { planFor, tail } from "../gateway/Tail.ts"
import { Bus } from "../kernel/Bus.ts"
import { busBlobs, busFrames } from "../kernel/BusBlobs.ts"
import { Retryable } from "../kernel/Failure.ts"
import { memoryBus } from "../kernel/testkit/MemoryBus.ts"
import { settingsWith } from "./support/gateway.ts"

type Shape = (typeof Bus)["Service"]

const subject = () => `text.rejected.call.${ulid()}.000001`
const put = (bus: Shape, subject: string) => bus.publish({ subject, data: new TextEncoder().encode("{}") })
const changed = (change: (bus: Shape) => Partial<Shape>) =>
  Layer.effect(
    Bus,
    Effect.map(Bus, (bus) => Bus.of({ ...bus, ...change(bus) }))
  ).pipe(Layer.provide(memoryBus))

describe("a subscription to what is new", () => {
  it.live("has the event that came while the bus failed before the first one", () =>
    Effect.gen(function* () {
      const bus = yield* Bus
      const [before, during, after] = [subject(), subject(), subject()]
      yield* put(bus, before)
      let opened = 0
      const failing: Shape = {
        ...bus,
        tail: (stream, options) => {
          opened += 1
          const lost = new Retryable({ code: "bus.unavailable", message: "gone" })
          return opened > 1
            ? bus.tail(stream, options)
            : Stream.fromEffect(Effect.andThen(Effect.orDie(put(bus, during)), Effect.fail(lost)))
        }
      }
      const filters = ["text.*.call.>"]
      const events = Stream.unwrap(tail(failing, filters, yield* planFor(filters), {}))
      const found = yield* events.pipe(Stream.take(2), Stream.runCollect, Effect.forkChild)
      yield* Effect.sleep("600 millis")
      yield* put(bus, after)
      const seen = yield* Fiber.join(found).pipe(Effect.timeout("3 seconds"))
      assert.deepStrictEqual(
        seen.map(({ subject }) => subject),
        [during, after]
      )
    }).pipe(Effect.provide(memoryBus))
  )
})

/** A reader takes a while to be there. */
const slowBus = changed((bus) => ({
  tail: (stream, options) =>
    Stream.unwrap(
      Effect.as(
        Effect.sleep("500 millis"),
        Stream.suspend(() => bus.tail(stream, options))
      )
    )
}))
const settings = settingsWith(0)
const slowGateway = gatewayWith({}).pipe(
  Layer.provide(settings),
  Layer.provideMerge(Layer.mergeAll(busBlobs, Recorder.layer, Recordings.layer.pipe(Layer.provide([busFrames, settings])))),
  Layer.provideMerge(slowBus)
)

layer(slowGateway, { excludeTestServices: true, timeout: 60_000 })((it) => {
  it.effect("server-sent events have what happens after `: connected`", () =>
    Effect.gen(function* () {
      const bus = yield* Bus
      const { url, token } = yield* GatewayAddress
      const wanted = subject()
      const seen = yield* Effect.promise(async (signal) => {
        const headers = { authorization: `Bearer ${token}` }
        const answer = await fetch(`${url}/api/events?subjects=text.*.call.>`, { headers, signal })
        let text = ""
        let sent = false
        for await (const part of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
          text += part
          if (!sent && text.includes(": connected")) {
            sent = true
            await Effect.runPromise(put(bus, wanted))
          }
          if (text.includes(wanted)) break
        }
        return text
      }).pipe(Effect.timeout("5 seconds"))
      assert.match(seen, /^: connected\n\n/)
      assert.include(seen, wanted)
    })
  )
})
