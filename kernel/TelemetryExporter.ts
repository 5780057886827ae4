/** Spans to an OTLP receiver. A file of its own, loaded only where `telemetry.otlpUrl` is set: it is not small. */
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as Layer from "effect/Layer"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"

/** Up to and with the port, or with the path of the traces. */
const tracesUrl = (url: string): string => (/\/v1\/traces\/?$/.test(url) ? url : `${url.replace(/\/+$/, "")}/v1/traces`)

/** @param process what the spans of this process are marked with */
export const traceExporter = (url: string, process: string): Layer.Layer<never> =>
  Layer.merge(
    OtlpTracer.layer({
      url: tracesUrl(url),
      resource: { serviceName: "voxbus", attributes: { "voxbus.process": process } },
      exportInterval: "2 seconds",
      shutdownTimeout: "2 seconds"
    }).pipe(
      Layer.provide(OtlpSerialization.layerJson),
      // The export itself is no part of any trace.
      Layer.provide(Layer.succeed(HttpClient.TracerDisabledWhen, () => true)),
      Layer.provide(FetchHttpClient.layer)
    ),
    // Addresses and queries of requests are content.
    Layer.succeed(HttpMiddleware.TracerDisabledWhen, () => true)
  )
