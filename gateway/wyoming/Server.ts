/**
 * The Wyoming server: speech to text, text to speech and conversation for Home Assistant and others. Off unless
 * `gateway.wyoming.port` is set. The protocol has neither passwords nor encryption, so it listens on 127.0.0.1 only.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Exit from "effect/Exit"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { createServer, type Socket } from "node:net"
import { describe, type Failure, systemCode, Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { type Errands, makeErrands } from "../Errands.ts"
import { type Conversations, makeConnection } from "./Connection.ts"
import { encodeFrame, makeParser } from "./Frames.ts"
import { info } from "./Info.ts"
import type { Send } from "./Voice.ts"

const HOST = "127.0.0.1"
const MOST_CONNECTIONS = 64
/** Milliseconds without a byte after which a connection is closed: a satellite without power never says goodbye. */
const IDLE_MS = 10 * 60_000
/** ... and after we have said the last word. */
const GOODBYE_MS = 2_000
/** Conversations that are remembered; the one that was used longest ago goes first. */
const REMEMBERED = 32

type Ask = (question: string) => Effect.Effect<string, Failure>

/** A conversation is a session; one without an id is asked once. */
const makeConversations = Effect.fnUntraced(function* (errands: Errands) {
  const outer = yield* Effect.scope
  const known = new Map<string, { readonly ask: Ask; readonly scope: Scope.Closeable }>()

  const open = Effect.fnUntraced(function* (language: string | undefined) {
    const scope = yield* Scope.fork(outer)
    return { scope, ask: yield* Scope.provide(errands.converse(language), scope) }
  })

  const conversations: Conversations = {
    ask: Effect.fnUntraced(function* (id, question, language) {
      if (id === undefined) return yield* Effect.scoped(Effect.flatMap(errands.converse(language), (ask) => ask(question)))
      const found = known.get(id) ?? (yield* open(language))
      known.delete(id)
      known.set(id, found)
      const [oldest] = known
      if (known.size > REMEMBERED && oldest !== undefined) {
        known.delete(oldest[0])
        yield* Scope.close(oldest[1].scope, Exit.void)
      }
      return yield* found.ask(question)
    })
  }
  return conversations
})

/** Writes whole frames, and waits while the client does not read. */
const sender = Effect.fnUntraced(function* (socket: Socket) {
  const oneAtATime = yield* Semaphore.make(1)
  const send: Send = (type, data, payload) =>
    Effect.callback<void>((done) => {
      const ready = () => done(Effect.void)
      if (socket.destroyed || socket.write(encodeFrame(type, data, payload))) return ready()
      socket.once("drain", ready)
      socket.once("close", ready)
      return Effect.sync(() => {
        socket.off("drain", ready)
        socket.off("close", ready)
      })
    }).pipe(oneAtATime.withPermits(1))
  return send
})

/** What was sent shall arrive: bytes that nobody has read would make it a reset. */
const hangUp = (socket: Socket) => {
  socket.resume()
  socket.setTimeout(GOODBYE_MS)
  socket.end()
}

const serve = Effect.fnUntraced(function* (socket: Socket, errands: Errands, conversations: Conversations) {
  const settings = yield* Settings
  const parse = makeParser()
  const send = yield* sender(socket)
  const connection = yield* makeConnection({
    errands,
    conversations,
    send,
    describe: Effect.map(settings.reload, ({ session }) => info(session)),
    voices: [(yield* settings.reload).session.speaker.voice]
  })
  // The iterator must not take the connection with it: the reason why it ends is still to be sent.
  const chunks = Stream.fromAsyncIterable<Uint8Array, Failure>(
    socket.iterator({ destroyOnReturn: false }),
    (cause) => new Terminal({ code: "input.invalid", message: describe(cause) })
  )
  yield* chunks.pipe(
    Stream.mapEffect((chunk) =>
      Effect.try({
        try: () => parse(chunk),
        catch: (cause) => (cause instanceof Terminal ? cause : new Terminal({ code: "input.invalid", message: describe(cause) }))
      })
    ),
    Stream.runForEach((frames) => Effect.forEach(frames, connection.handle, { discard: true })),
    // A client may be done with asking and wait for the rest.
    Effect.andThen(connection.settled),
    // Whoever waits for an answer that will not come hears of it, and that the connection is over.
    Effect.catch(connection.complain)
  )
}, Effect.scoped)

const listen = Effect.fnUntraced(function* (port: number, onConnection: (socket: Socket) => void) {
  const server = createServer({ allowHalfOpen: true, keepAlive: true, noDelay: true }, onConnection)
  server.maxConnections = MOST_CONNECTIONS
  yield* Effect.acquireRelease(
    Effect.callback<void, Terminal>((done) => {
      server.once("error", (cause) => {
        const why = systemCode(cause) === "EADDRINUSE" ? "is used by another program" : `cannot be used (${describe(cause)})`
        done(
          Effect.fail(
            new Terminal({ code: "instance.port_taken", message: `Port ${port} for Wyoming ${why}. Choose another with --wyoming.` })
          )
        )
      })
      server.listen(port, HOST, () => done(Effect.void))
    }),
    () => Effect.sync(() => void server.close())
  )
})

/** Needs the recorder of the capture actor, the bus and its blobs. Does nothing while no port is set. */
export const wyomingServer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { port } = (yield* Settings).gateway.wyoming
    if (port === 0) return
    const errands = yield* makeErrands
    const conversations = yield* makeConversations(errands)
    const services = yield* Effect.context<Settings>()
    const scope = yield* Effect.scope
    yield* listen(port, (socket) => {
      socket.setTimeout(IDLE_MS, () => socket.destroy())
      socket.on("error", () => socket.destroy())
      const served = serve(socket, errands, conversations).pipe(
        Effect.ensuring(Effect.sync(() => hangUp(socket))),
        Effect.catchCause((cause) => Effect.logWarning("a Wyoming connection failed", cause)),
        Effect.provide(services)
      )
      Effect.runFork(Effect.asVoid(Effect.forkIn(served, scope)))
    })
    yield* Effect.logInfo("Wyoming listens").pipe(Effect.annotateLogs({ host: HOST, port }))
  })
)
