/** What clients hold at the moment, counted per client: sockets and streams, and files on their way. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import { Terminal } from "../../kernel/Failure.ts"
import { Caller } from "../Access.ts"

const held = { sockets: new Map<string, number>(), uploads: new Map<string, number>() }

export type Held = keyof typeof held

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((total, each) => total + each, 0)

/** Of all clients together. */
export const usage = (): Readonly<Record<Held, number>> => ({ sockets: sum(held.sockets), uploads: sum(held.uploads) })

/** A client is a token and where it comes from. */
export const clientOf = (request: HttpServerRequest.HttpServerRequest) =>
  Effect.map(Caller, ({ name }) => `${name} ${Option.getOrElse(request.remoteAddress, () => "")}`)

/** One more of these for the client, until the scope closes. Fails with `request.limited` when it has enough. */
export const hold = (what: Held, client: string, most: number, message: string): Effect.Effect<void, Terminal, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const counts = held[what]
      const now = counts.get(client) ?? 0
      if (now >= most) return Effect.fail(new Terminal({ code: "request.limited", message }))
      return Effect.sync(() => void counts.set(client, now + 1))
    }),
    () =>
      Effect.sync(() => {
        const left = (held[what].get(client) ?? 1) - 1
        if (left <= 0) held[what].delete(client)
        else held[what].set(client, left)
      })
  )
