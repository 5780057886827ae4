/**
 * The core budget between the processes of a host: JSON lines over a local socket (abstract on Linux, a named pipe on
 * Windows). Whoever finds nobody listening keeps the books for all. A lease lives as long as the connection of its
 * holder, so a process killed with SIGKILL gives its cores back at once; when the bookkeeper dies the others elect the
 * next by binding the same name, and bring their leases along.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import { unlinkSync } from "node:fs"
import { connect, createServer, type Socket } from "node:net"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { CoreBudget } from "./CoreBudget.ts"
import { type CoreRequest, Cores, type Lease } from "./Cores.ts"
import { describe, Retryable, systemCode } from "./Failure.ts"
import { Settings } from "./Settings.ts"

const Lane = Schema.Literals(["interactive", "batch"])
const Message = Schema.fromJsonString(
  Schema.Union([
    Schema.Struct({ op: Schema.Literal("ask"), id: Schema.String, lane: Lane, want: Schema.Int }),
    Schema.Struct({ op: Schema.Literal("hold"), id: Schema.String, lane: Lane, threads: Schema.Int }),
    Schema.Struct({ op: Schema.Literal("shrink"), id: Schema.String, threads: Schema.Int }),
    Schema.Struct({ op: Schema.Literal("release"), id: Schema.String }),
    Schema.Struct({ op: Schema.Literal("granted"), id: Schema.String, threads: Schema.Int })
  ])
)
type Message = typeof Message.Type
const decode = Schema.decodeUnknownOption(Message)

const say = (socket: Socket, message: Message): void => void socket.write(`${JSON.stringify(message)}\n`)

// Not node:readline: its interface emits the socket's errors again, where nobody listens.
const eachMessage = (socket: Socket, on: (message: Message) => void): void => {
  let rest = ""
  socket.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      const message = decode(line)
      if (message._tag === "Some") on(message.value)
    }
  })
}

/** The name of the budget of this host and user. `VOXBUS_CORES_NAME` gives tests one of their own. */
export const budgetAddress = (name = process.env["VOXBUS_CORES_NAME"] ?? `voxbus-cores-${userInfo().uid}`): string =>
  process.platform === "linux" ? `\0${name}` : process.platform === "win32" ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`)

/** A new bookkeeper first hears of the leases that its predecessor had granted. */
const GRACE_MS = 100

/** Keeps the books. Fails when somebody does already. */
const keepBooks = (address: string, total: number) =>
  Effect.acquireRelease(
    Effect.callback<() => void, unknown>((resume) => {
      const budget = new CoreBudget(total)
      const clients = new Map<string, Socket>()
      const owner = new Map<string, string>()
      const opens = performance.now() + GRACE_MS
      const settle = () => {
        if (performance.now() < opens) return
        for (const [id, threads] of budget.grant(performance.now())) {
          const socket = clients.get(owner.get(id) ?? "")
          if (socket !== undefined) say(socket, { op: "granted", id, threads })
        }
      }
      const server = createServer((socket) => {
        const client = randomUUID()
        clients.set(client, socket)
        socket.on("error", () => undefined)
        socket.on("close", () => {
          clients.delete(client)
          budget.forget(client)
          for (const [id, who] of owner) if (who === client) owner.delete(id)
          settle()
        })
        eachMessage(socket, (message) => {
          if (message.op === "ask") {
            owner.set(message.id, client)
            budget.request({ id: message.id, client, lane: message.lane, want: message.want })
          } else if (message.op === "hold") {
            owner.set(message.id, client)
            budget.adopt({ id: message.id, client, lane: message.lane, want: message.threads }, message.threads)
          } else if (message.op === "shrink") budget.shrink(message.id, message.threads)
          else if (message.op === "release") {
            budget.release(message.id)
            owner.delete(message.id)
          }
          settle()
        })
      })
      // Batch work that was held back for a talk gets its core when the talk is over.
      const timer = setInterval(settle, 1_000)
      timer.unref()
      setTimeout(settle, GRACE_MS + 1).unref()
      server.once("error", (cause) => {
        clearInterval(timer)
        resume(Effect.fail(cause))
      })
      server.listen(address, () =>
        resume(
          Effect.succeed(() => {
            clearInterval(timer)
            server.close()
            for (const socket of clients.values()) socket.destroy()
          })
        )
      )
    }),
    (close) => Effect.sync(close)
  )

const open = (address: string) =>
  Effect.callback<Socket, unknown>((resume) => {
    const socket = connect(address)
    socket.once("error", (cause) => resume(Effect.fail(cause)))
    socket.once("connect", () => resume(Effect.succeed(socket)))
  })

/** Removes the socket file of a bookkeeper that was killed; abstract names and pipes vanish by themselves. */
const removeStale = (address: string) =>
  Effect.sync(() => {
    if (process.platform !== "linux" && process.platform !== "win32") {
      try {
        unlinkSync(address)
      } catch (cause) {
        if (systemCode(cause) !== "ENOENT") throw cause
      }
    }
  })

interface Held {
  readonly request: CoreRequest
  threads: number
  readonly granted: Deferred.Deferred<number>
}

const make = (address: string, total: number) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const leases = new Map<string, Held>()
    let socket: Socket | undefined
    const services = yield* Effect.context<never>()
    const run = Effect.runForkWith(services)

    const attach: Effect.Effect<Socket, unknown> = open(address).pipe(
      Effect.catch((cause) =>
        (systemCode(cause) === "ECONNREFUSED" ? removeStale(address) : Effect.void).pipe(
          Effect.andThen(keepBooks(address, total)),
          Effect.provideService(Scope.Scope, scope),
          Effect.andThen(open(address))
        )
      ),
      Effect.retry(Schedule.spaced("20 millis").pipe(Schedule.jittered, Schedule.upTo({ duration: "5 seconds" })))
    )
    const join: Effect.Effect<void, unknown> = Effect.gen(function* () {
      const next = yield* attach
      // The bookkeeper may have gone in the moment since: its "close" has been missed.
      if (next.destroyed) return yield* join
      // Only who holds or waits for a lease is kept alive by it.
      if (leases.size === 0) next.unref()
      socket = next
      next.on("error", () => undefined)
      next.once("close", () => {
        if (socket === next) socket = undefined
        if (scope.state._tag === "Open") run(join.pipe(Effect.ignore))
      })
      eachMessage(next, (message) => {
        const held = message.op === "granted" ? leases.get(message.id) : undefined
        if (held === undefined || message.op !== "granted") return
        held.threads = message.threads
        Deferred.doneUnsafe(held.granted, Exit.succeed(message.threads))
      })
      for (const [id, held] of leases) {
        const { lane, want } = held.request
        say(next, held.threads > 0 ? { op: "hold", id, lane, threads: held.threads } : { op: "ask", id, lane, want })
      }
    })
    yield* join.pipe(
      Effect.mapError(
        (cause) => new Retryable({ code: "internal", message: `The core budget of this host cannot be reached: ${describe(cause)}`, cause })
      )
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => socket?.destroy()))

    return Cores.of({
      total,
      lease: (request, use) =>
        Effect.acquireUseRelease(
          Effect.gen(function* () {
            const id = randomUUID()
            leases.set(id, { request, threads: 0, granted: yield* Deferred.make<number>() })
            socket?.ref()
            if (socket !== undefined) say(socket, { op: "ask", id, lane: request.lane, want: Math.max(1, Math.min(request.want, total)) })
            return id
          }),
          (id) => {
            const held = leases.get(id)
            if (held === undefined) return Effect.die(new Error("lease vanished"))
            return Deferred.await(held.granted).pipe(
              Effect.flatMap((threads) => {
                const lease: Lease = {
                  threads,
                  shrink: (to) =>
                    Effect.sync(() => {
                      if (to >= held.threads) return
                      held.threads = to
                      if (socket !== undefined) say(socket, { op: "shrink", id, threads: to })
                    })
                }
                return use(lease)
              })
            )
          },
          (id) =>
            Effect.sync(() => {
              leases.delete(id)
              if (leases.size === 0) socket?.unref()
              if (socket !== undefined) say(socket, { op: "release", id })
            })
        )
    })
  })

/** The budget of this host, of `Settings.cores` threads. */
export const hostCores: Layer.Layer<Cores, Retryable, Settings> = Layer.effect(
  Cores,
  Effect.gen(function* () {
    const { cores } = yield* Settings
    return yield* make(budgetAddress(), cores)
  })
)
