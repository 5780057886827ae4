/**
 * A chunk of a call whose engine fails twice is tried on the other local engine, and the event says which one did it.
 * Only where nobody named an engine: one that is named is used or fails. Somebody who waits for a turn hears of the
 * failure instead of waiting twice.
 */
import * as Effect from "effect/Effect"
import type { Failure } from "../../kernel/Failure.ts"
import type { Engine, EngineRequest, EngineResult } from "./Engine.ts"
import type { Engines } from "./Engines.ts"
import * as Windows from "./Windows.ts"

type Pick = typeof Engines.Service.pick

/** In the order they are tried. */
const LOCAL = ["ctranslate2", "whisper.cpp"] as const

export interface Served {
  readonly result: EngineResult
  readonly engine: Engine["name"]
}

/** What is wrong with the input is wrong with it on every engine. */
const isOfInput = ({ code }: Failure): boolean => code.startsWith("input.") || code.startsWith("audio.")

const by = (engine: Engine, request: EngineRequest): Effect.Effect<Served, Failure> =>
  Effect.map(Windows.transcribe(engine, request), (result) => ({ result, engine: engine.name }))

/** Fails with what the first engine failed with when no other can do it. */
export const transcribeOnAny = Effect.fnUntraced(function* (pick: Pick, request: EngineRequest): Effect.fn.Return<Served, Failure> {
  const { options, lane } = request
  const first = yield* pick(options)
  const others = options.engine === "auto" && lane === "batch" && LOCAL.some((name) => name === first.name) ? LOCAL : []
  // An engine whose process was killed is there again: the same words as without that, rather than those of another engine.
  return yield* by(first, request).pipe(
    Effect.retry({ times: others.length > 0 ? 1 : 0, while: ({ _tag }) => _tag === "Retryable" }),
    Effect.catch((failure) => {
      if (isOfInput(failure)) return Effect.fail(failure)
      const rest = others.filter((name) => name !== first.name)
      return rest.reduce<Effect.Effect<Served, Failure>>(
        (before, engine) =>
          before.pipe(
            Effect.catch(() =>
              pick({ engine, model: options.model }).pipe(
                Effect.tap(() =>
                  Effect.logWarning("another engine takes the chunk").pipe(
                    Effect.annotateLogs({ failed: first.name, engine, code: failure.code, reason: failure.message })
                  )
                ),
                Effect.flatMap((found) => by(found, request)),
                Effect.mapError(() => failure)
              )
            )
          ),
        Effect.fail(failure)
      )
    })
  )
})
