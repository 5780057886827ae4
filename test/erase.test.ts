/** What is erased is not in the server's files any more; what is only purged is (seen with nats-server 2.14 and 2.15). */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { Bus } from "../kernel/Bus.ts"
import { natsBus } from "../kernel/nats/NatsBus.ts"
import { NatsServer } from "../kernel/nats/Server.ts"
import * as Layer from "effect/Layer"
import { locateModel } from "../kernel/Models.ts"
import { cache, connectionTo, temporaryFolder } from "./support/server.ts"

const files = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? files(path) : [path]
  })
const holding = (folder: string, word: string) => files(folder).filter((path) => readFileSync(path).includes(word))

let folder = ""
const server = Layer.unwrap(
  Effect.gen(function* () {
    folder = yield* temporaryFolder
    const binary = (yield* locateModel(cache, "nats-server")).path("binary")
    return NatsServer.layer({ binary, folder, users: [{ name: "operator", password: "test" }] })
  })
)
const bus = Layer.effectDiscard(Effect.flatMap(Bus, (the) => the.provision({ keepConversations: false, consumers: [] }))).pipe(
  Layer.provideMerge(natsBus),
  Layer.provideMerge(connectionTo("operator", "test")),
  Layer.provideMerge(server)
)

layer(bus, { excludeTestServices: true })((it) => {
  it.effect("erases messages from the files, and leaves the others", () =>
    Effect.gen(function* () {
      const bus = yield* Bus
      const send = (subject: string, text: string) => bus.publish({ subject, data: new TextEncoder().encode(text) })
      for (let n = 0; n < 40; n++) {
        yield* send(`text.transcribed.call.A.${n}`, `the zanzibarword ${n} ${"x".repeat(200)}`)
        yield* send(`text.transcribed.call.B.${n}`, `the otherword ${n} ${"x".repeat(200)}`)
      }
      assert.isNotEmpty(holding(folder, "zanzibarword"))
      assert.strictEqual(yield* bus.erase("CALLS", "text.*.call.A.>"), 40)
      assert.isEmpty(holding(folder, "zanzibarword"))
      assert.isNotEmpty(holding(folder, "otherword"))
      assert.strictEqual((yield* bus.count("CALLS", "text.*.call.B.>")).size, 40)
      assert.strictEqual(yield* bus.erase("CALLS", "text.*.call.A.>"), 0)

      // Why it is not a purge: beside messages that stay, the purged ones stay in the file.
      yield* send("text.transcribed.call.C.1", "the thirdword")
      yield* bus.purge("CALLS", "text.*.call.B.>")
      assert.strictEqual((yield* bus.count("CALLS", "text.*.call.B.>")).size, 0)
      assert.isNotEmpty(holding(folder, "otherword"), "a purge overwrites now: Bus.erase can be simpler")
    })
  )
})
