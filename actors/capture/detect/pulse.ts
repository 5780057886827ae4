/** Linux: the source outputs of PulseAudio, and of PipeWire through its PulseAudio interface. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { programAudio, programOutput } from "../sources/program.ts"
import { CLIENT } from "../sources/pulse.ts"
import type { Detector } from "./Detector.ts"

const Properties = Schema.Record(Schema.String, Schema.Unknown)
const Outputs = Schema.fromJsonString(
  Schema.Array(
    Schema.Struct({
      source: Schema.Finite,
      corked: Schema.Boolean,
      resample_method: Schema.optionalKey(Schema.String),
      properties: Properties
    })
  )
)
const Sources = Schema.fromJsonString(Schema.Array(Schema.Struct({ index: Schema.Finite, name: Schema.String, properties: Properties })))
const outputsOf = Schema.decodeUnknownOption(Outputs)
const sourcesOf = Schema.decodeUnknownOption(Sources)

/**
 * The programs behind `pactl -f json list source-outputs`: only what runs (not corked) and records a microphone. A monitor
 * is what the machine plays; level meters ("peaks") do not listen. Pure.
 *
 * @param sources what `pactl -f json list sources` printed
 */
export const usersOf = (outputs: string, sources: string): ReadonlyArray<string> | undefined => {
  const found = outputsOf(outputs)
  const known = sourcesOf(sources)
  if (found._tag === "None" || known._tag === "None") return undefined
  const monitors = new Set(
    known.value.flatMap(({ index, name, properties }) =>
      properties["device.class"] === "monitor" || name.endsWith(".monitor") ? [index] : []
    )
  )
  const names = found.value.flatMap(({ source, corked, resample_method, properties }) => {
    const name = properties["application.name"] ?? properties["application.process.binary"]
    const listens = !corked && resample_method !== "peaks" && !monitors.has(source)
    return listens && typeof name === "string" && name !== "" && name !== CLIENT ? [name] : []
  })
  return [...new Set(names)]
}

const firstLine = (printed: string | undefined): string => printed?.split("\n", 1)[0] ?? ""

export const pulseDetector: Detector = {
  users: Effect.zipWith(
    programOutput("pactl", ["-f", "json", "list", "source-outputs"]),
    programOutput("pactl", ["-f", "json", "list", "sources"]),
    (outputs, sources) => usersOf(firstLine(outputs), firstLine(sources))
  ),
  // `Event 'new' on source-output #7`, in the language of the system.
  changes: Stream.unwrap(programAudio("pactl", ["subscribe"])).pipe(
    Stream.map((bytes) => new TextDecoder().decode(bytes)),
    Stream.filter((text) => text.includes("source-output")),
    Stream.map(() => undefined),
    Stream.scoped
  )
}
