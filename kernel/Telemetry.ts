/**
 * Traces over OTLP, to where `telemetry.otlpUrl` says; nowhere by default. The trace of a turn or a call goes through all
 * processes, because every event carries the context of the span that published it. A span says which actor worked on
 * which event for how long; no words, no audio, no addresses of requests.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { refuseFar } from "./Network.ts"
import { Settings } from "./Settings.ts"

/** @param process what the spans of this process are marked with */
export const telemetry = (process: string): Layer.Layer<never, never, Settings> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const {
        telemetry: { otlpUrl },
        host
      } = yield* Settings
      if (otlpUrl === "") return Layer.empty
      const refused = host.offline ? yield* Effect.option(Effect.flip(refuseFar(otlpUrl))) : undefined
      if (refused?._tag === "Some") {
        yield* Effect.logWarning("no traces are sent").pipe(Effect.annotateLogs({ reason: refused.value.message }))
        return Layer.empty
      }
      const { traceExporter } = yield* Effect.promise(() => import("./TelemetryExporter.ts"))
      return traceExporter(otlpUrl, process)
    })
  )
