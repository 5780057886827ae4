/** An actor's user may do what the actor declares, and nothing else. */
import { assert, describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { ulid } from "ulid"
import { Bus } from "../kernel/Bus.ts"
import { natsBus } from "../kernel/nats/NatsBus.ts"
import { OPERATOR, permissionsOf } from "../kernel/nats/Credentials.ts"
import { consumersOf } from "../kernel/Runtime.ts"
import { connectionTo, serverLayer } from "./support/server.ts"

const normalizer = {
  name: "normalizer",
  consumes: [{ mode: "call", tags: ["audio.captured"], concurrency: 1 }],
  publishes: ["audio.normalized", "audio.completed"]
} as const

const busOf = (user: string) => natsBus.pipe(Layer.provide(connectionTo(user, user)))
const users = [
  { name: OPERATOR, password: OPERATOR },
  { name: "normalizer", password: "normalizer", permissions: permissionsOf(normalizer) }
]
const data = new TextEncoder().encode("{}")

describe("permissions", () => {
  layer(serverLayer(users), { excludeTestServices: true, timeout: 30_000 })((it) => {
    it.effect("let an actor take its work, publish its own, and nothing else", () =>
      Effect.gen(function* () {
        const operator = Context.get(yield* Layer.build(busOf(OPERATOR)), Bus)
        yield* operator.provision({ keepConversations: false, consumers: consumersOf(normalizer, 2_500) })
        const bus = Context.get(yield* Layer.build(Layer.fresh(busOf("normalizer"))), Bus)
        const session = ulid()

        yield* operator.publish({ subject: `audio.captured.call.${session}.000001`, data })
        const [spec] = consumersOf(normalizer, 2_500)
        if (spec === undefined) return assert.fail("no consumer")
        const delivery = yield* (yield* bus.consumer(spec)).next(2_000)
        assert.strictEqual(delivery?.subject, `audio.captured.call.${session}.000001`)
        if (delivery !== undefined) yield* delivery.ack
        assert.isTrue((yield* bus.publish({ subject: `audio.normalized.call.${session}.000001`, data })).stored)
        assert.isTrue((yield* bus.publish({ subject: `dlq.normalizer.call.${session}`, data })).stored)
        assert.strictEqual((yield* bus.last("CALLS", [`audio.captured.call.${session}.>`])).length, 1)

        // A history of several kinds, as the scheduler of jobs and long sessions read it.
        const filters = ["audio.captured.call.>", "audio.normalized.call.>"]
        const read = Stream.runCollect(bus.read("CALLS", { filters }))
        assert.strictEqual((yield* read.pipe(Effect.timeout("8 seconds"))).length, 2)

        for (const subject of [
          `text.transcribed.call.${session}.000001`,
          `session.closed.call.${session}`,
          `audio.normalized.assistant.${session}.000001`,
          `dlq.bundler.call.${session}`
        ]) {
          const failure = yield* Effect.flip(bus.publish({ subject, data }))
          assert.strictEqual(failure.code, "bus.rejected", subject)
        }
        assert.strictEqual((yield* operator.last("CALLS", [`text.transcribed.call.${session}.>`])).length, 0)
        const foreign = yield* Effect.exit(
          bus
            .consumer({ stream: "ASSISTANT", durable: "reasoner", filters: ["text.>"], ackWaitMs: 1_000 })
            .pipe(Effect.timeout("8 seconds"))
        )
        assert.strictEqual(foreign._tag, "Failure")
      }).pipe(Effect.scoped)
    )
  })
})
