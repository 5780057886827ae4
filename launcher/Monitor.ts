/**
 * Looks at the configured providers every `provider.probeSeconds` and says on the bus when one goes or comes back. One
 * cheap request each; nothing where none is configured, and none to other machines in offline mode.
 */
import * as Effect from "effect/Effect"
import { report } from "../kernel/Health.ts"
import { Settings } from "../kernel/Settings.ts"
import { checkAll, type State } from "./providers/Endpoints.ts"

const PAUSED = "5 seconds"

/** Runs for ever. */
export const monitorProviders = Effect.gen(function* () {
  const said = new Map<string, string>()
  const say = ({ name, status, url, detail }: State) =>
    Effect.suspend(() => {
      const before = said.get(name)
      if (before === status || status === "off") return Effect.void
      said.set(name, status)
      return report(`provider-${name}`, status, status === "ready" ? `${url}: ${detail}` : detail)
    })
  return yield* Effect.gen(function* () {
    const { probeSeconds } = (yield* Settings.current).provider
    if (probeSeconds === 0) return yield* Effect.sleep(PAUSED)
    const states = yield* checkAll
    yield* Effect.forEach(states, say, { discard: true })
    // What is no longer configured is no longer unwell.
    for (const name of said.keys())
      if (!states.some((state) => state.name === name)) {
        said.delete(name)
        yield* report(`provider-${name}`, "ready", "Not configured any more.")
      }
    yield* Effect.sleep(`${probeSeconds} seconds`)
  }).pipe(
    Effect.catch((failure) =>
      Effect.logWarning("the providers could not be looked at").pipe(
        Effect.annotateLogs({ code: failure.code, reason: failure.message }),
        Effect.andThen(Effect.sleep("60 seconds"))
      )
    ),
    Effect.forever
  )
})
