/** A bus of a company: TLS with certificates of both sides and `.creds`. It works for real, and says why it does not. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readFileSync } from "node:fs"
import { ActorsStatus } from "../contract/ActorCommands.ts"
import { call } from "../kernel/Commands.ts"
import type { Address } from "../kernel/nats/Connection.ts"
import { busLayer } from "../launcher/BusAccess.ts"
import { audit, turn } from "./support/load.ts"
import { type Running, startProgram, TESTKIT_ENGINES } from "./support/program.ts"
import { type SecureServer, startSecureServer } from "./support/secureServer.ts"

let server: SecureServer
let voxbus: Running

const environment = () => ({
  NATS_URL: server.url,
  VOXBUS_BUS_CREDENTIALS: server.credentials,
  VOXBUS_BUS_CA_FILE: server.caFile,
  VOXBUS_BUS_CERT_FILE: server.certFile,
  VOXBUS_BUS_KEY_FILE: server.keyFile
})

beforeAll(async () => {
  server = await startSecureServer()
  voxbus = await startProgram({ ...TESTKIT_ENGINES, ...environment(), VOXBUS_LOG_LEVEL: "info" })
})

afterAll(async () => {
  await voxbus?.stop()
  await server?.stop()
})

/** Why a client with this address gets no connection. */
const refusal = (other: Partial<Address> & Pick<Address, "tls">) =>
  Layer.build(busLayer({ url: server.url, name: "refused", ...other })).pipe(
    Effect.scoped,
    Effect.flip,
    Effect.timeout("20 seconds"),
    Effect.map((failure) => `${failure.message} [${"code" in failure ? failure.code : ""}]`),
    Effect.runPromise
  )

describe("a bus with TLS and credentials", () => {
  it("serves the launcher and its actors' processes", async () => {
    const { url, caFile, certFile, keyFile, credentials } = server
    const layer = busLayer({ url, credentialsFile: credentials, tls: { caFile, certFile, keyFile }, name: "test" })
    const { sessions, found, status } = await Effect.gen(function* () {
      const turns = yield* Effect.forEach([1, 2, 3, 4, 5], turn, { concurrency: 2 })
      const sessions = turns.map(({ session }) => session)
      return { sessions, found: yield* audit(sessions), status: yield* call(ActorsStatus, {}) }
    }).pipe(Effect.timeout("60 seconds"), Effect.provide(layer), Effect.scoped, Effect.runPromise)
    assert.strictEqual(sessions.length, 5)
    assert.deepStrictEqual([found.lost, found.duplicated, found.dead], [[], [], 0])
    assert.isTrue(status.actors.every(({ health }) => health === "ready"))
    const seed = readFileSync(credentials, "utf8").match(/SU[A-Z0-9]{50,}/)?.[0] ?? "no seed"
    assert.notInclude(voxbus.log(), seed)
  })

  it("refuses a server that nobody vouches for, a client without a certificate, foreign credentials, and no TLS", async () => {
    const { caFile, certFile, keyFile, credentials, foreignCredentials } = server
    const own = { certFile, keyFile }
    const unknown = await refusal({ credentialsFile: credentials, tls: { caFile: "", ...own } })
    assert.match(unknown, /No trusted TLS connection .*bus\.denied/)
    const nameless = await refusal({ credentialsFile: credentials, tls: { caFile, certFile: "", keyFile: "" } })
    assert.match(nameless, /VOXBUS_BUS_CERT_FILE.*bus\.unavailable/)
    const foreign = await refusal({ credentialsFile: foreignCredentials, tls: { caFile, ...own } })
    assert.match(foreign, /does not accept these credentials.*bus\.denied/)
    const plain = await refusal({ url: server.url.replace("tls:", "nats:"), tls: { caFile: "", certFile: "", keyFile: "" } })
    assert.match(plain, /bus\.(denied|unavailable)/)
  })
})
