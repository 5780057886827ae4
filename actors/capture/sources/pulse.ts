/** Linux: PulseAudio, and PipeWire through its PulseAudio interface. `pactl` lists, `parec` records. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { DeviceBackend, FoundDevice } from "./devices.ts"
import { programAudio, programOutput } from "./program.ts"

/** The name under which Voxbus records. */
export const CLIENT = "voxbus"

const Sources = Schema.fromJsonString(
  Schema.Array(
    Schema.Struct({
      name: Schema.String,
      description: Schema.String,
      /** As in `s16le 2ch 44100Hz`. */
      sample_specification: Schema.String,
      properties: Schema.Record(Schema.String, Schema.Unknown)
    })
  )
)
const decode = Schema.decodeUnknownOption(Sources)

const list = Effect.gen(function* () {
  const printed = yield* programOutput("pactl", ["-f", "json", "list", "sources"])
  if (printed === undefined) return undefined
  const sources = decode(printed.split("\n", 1)[0])
  if (sources._tag === "None") return undefined
  const preferred = (yield* programOutput("pactl", ["get-default-source"]))?.trim()
  return sources.value.map(({ name, description, sample_specification, properties }): FoundDevice => {
    const [, channels, rate] = /(\d+)ch (\d+)Hz/.exec(sample_specification) ?? []
    return {
      id: name,
      name: description,
      kind: properties["device.class"] === "monitor" || name.endsWith(".monitor") ? "monitor" : "microphone",
      channels: Number(channels ?? 1),
      sampleRate: Number(rate ?? 48_000),
      isDefault: name === preferred
    }
  })
})

export const pulse: DeviceBackend = {
  list,
  record: (device, sampleRate, channels) =>
    programAudio("parec", [
      `--device=${device}`,
      "--format=s16le",
      `--rate=${sampleRate}`,
      `--channels=${channels}`,
      "--latency-msec=40",
      `--client-name=${CLIENT}`,
      "--raw"
    ])
}
