/** A real nats-server for a test file: random port, folder of its own, gone with the scope. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { locateModel } from "../../kernel/Models.ts"
import { Connection } from "../../kernel/nats/Connection.ts"
import { natsBus } from "../../kernel/nats/NatsBus.ts"
import { NatsServer, type User } from "../../kernel/nats/Server.ts"
import { Bus } from "../../kernel/Bus.ts"

export const cache = process.env["VOXBUS_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "voxbus")

export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "voxbus-test-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** `user` connects; others may be given to test permissions. */
export const serverLayer = (users: ReadonlyArray<User> = [{ name: "operator", password: "test" }]) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const binary = (yield* locateModel(cache, "nats-server")).path("binary")
      return NatsServer.layer({ binary, folder, users })
    })
  )

export const connectionTo = (user: string, password: string) =>
  Layer.unwrap(Effect.map(NatsServer, ({ url }) => Connection.layer({ url, user, password, name: user })))

/** A provisioned bus on a server of its own. */
export const realBus = Layer.effectDiscard(Effect.flatMap(Bus, (bus) => bus.provision({ keepConversations: false, consumers: [] }))).pipe(
  Layer.provideMerge(natsBus),
  Layer.provideMerge(connectionTo("operator", "test")),
  Layer.provideMerge(serverLayer())
)
