/**
 * An actor of one's own: finds telephone numbers in calls. The runtime does the rest as for ours: again after a crash,
 * nothing twice, dead letters, shared work when it is started several times.
 *
 *   npx voxbus creds issue phones --consumes text.transcribed --publishes keyword.spotted
 *   VOXBUS_BUS=nats://phones:...@127.0.0.1:PORT node examples/03-own-actor.ts
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { EventOf } from "../contract/Events.ts"
import * as Actor from "../kernel/Actor.ts"
import { report } from "../kernel/Health.ts"
import { start } from "../kernel/Runtime.ts"
import { busLayer } from "../launcher/BusAccess.ts"

const PHONE = /\+?\d[\d ()/-]{4,}\d/g
/** Hits of a chunk are numbered; ours begin where the spotter's do not come. */
const FIRST = 500_001

const numbersIn = ({ v, mode, session, unit, segments }: EventOf<"text.transcribed">): ReadonlyArray<EventOf<"keyword.spotted">> =>
  segments
    .flatMap(({ start, end, text }) => [...text.matchAll(PHONE)].map(() => ({ start, end, text })))
    .map((hit, n) => ({ _tag: "keyword.spotted", v, mode, session, unit, number: FIRST + n, keyword: "telephone number", ...hit }))

const phones = Actor.make({
  name: "phones",
  logicVersion: 1,
  consumes: [{ mode: "call", tags: ["text.transcribed"], concurrency: 1 }],
  publishes: ["keyword.spotted"],
  handle: (event) => (event._tag === "text.transcribed" ? Stream.fromIterable(numbersIn(event)) : Stream.empty)
})

const { host, username, password } = new URL(process.env["VOXBUS_BUS"] ?? "")

const program = Effect.gen(function* () {
  yield* start(phones, { ackWaitMs: 2_500 })
  yield* report(phones.name, "ready")
  yield* Effect.logInfo("looking for telephone numbers")
  yield* Effect.never
}).pipe(Effect.provide(busLayer({ url: `nats://${host}`, user: username, password, name: phones.name })), Effect.scoped)

await Effect.runPromise(program)
