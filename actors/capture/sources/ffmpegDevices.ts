/**
 * macOS (AVFoundation) and Windows (DirectShow) through the system's ffmpeg, and plain ALSA through `arecord`. Written
 * from the documentation of these programs; only the parsing has been run, on lines in their documented form.
 */
import * as Effect from "effect/Effect"
import type { DeviceBackend, FoundDevice } from "./devices.ts"
import { programAudio, programOutput } from "./program.ts"

const found = (id: string, name: string, isDefault: boolean): FoundDevice => ({
  id,
  name,
  kind: "microphone",
  channels: 1,
  sampleRate: 48_000,
  isDefault
})

/** `[AVFoundation indev @ 0x...] [0] MacBook Microphone`, after the line that announces the audio devices. */
export const parseAvfoundation = (printed: string): ReadonlyArray<FoundDevice> =>
  [...(printed.split(/AVFoundation audio devices:/)[1] ?? "").matchAll(/\] \[(\d+)\] (.+)/g)].map(([, index, name], at) =>
    found(`avfoundation:${index}`, (name ?? "").trim(), at === 0)
  )

/** `[dshow @ 0x...] "Microphone (USB)" (audio)`. */
export const parseDshow = (printed: string): ReadonlyArray<FoundDevice> =>
  [...printed.matchAll(/"([^"]+)" \(audio\)/g)].map(([, name], at) => found(`dshow:${name}`, name ?? "", at === 0))

/** `card 1: USB [USB Audio], device 0: Mic [Mic]`. */
export const parseAlsa = (printed: string): ReadonlyArray<FoundDevice> =>
  [...printed.matchAll(/^card (\d+): .*?\[(.*?)\], device (\d+): .*?\[(.*?)\]/gm)].map(([, card, name, device, part], at) =>
    found(`plughw:${card},${device}`, `${name} ${part}`.trim(), at === 0)
  )

const pcm = (sampleRate: number, channels: number) => ["-ac", String(channels), "-ar", String(sampleRate), "-f", "s16le", "-"]

const backend = (
  program: string,
  listing: ReadonlyArray<string>,
  parse: (printed: string) => ReadonlyArray<FoundDevice>,
  args: (device: string, sampleRate: number, channels: number) => ReadonlyArray<string>
): DeviceBackend => ({
  list: Effect.map(programOutput(program, listing), (printed) => (printed === undefined ? undefined : parse(printed))),
  record: (device, sampleRate, channels) => programAudio(program, args(device, sampleRate, channels))
})

const quiet = ["-hide_banner", "-loglevel", "error", "-nostdin"]

export const avfoundation = backend(
  "ffmpeg",
  ["-hide_banner", "-f", "avfoundation", "-list_devices", "true", "-i", ""],
  parseAvfoundation,
  (device, rate, channels) => [...quiet, "-f", "avfoundation", "-i", `:${device.replace("avfoundation:", "")}`, ...pcm(rate, channels)]
)

export const dshow = backend(
  "ffmpeg",
  ["-hide_banner", "-list_devices", "true", "-f", "dshow", "-i", "dummy"],
  parseDshow,
  (device, rate, channels) => [
    ...quiet,
    "-f",
    "dshow",
    "-audio_buffer_size",
    "40",
    "-i",
    `audio=${device.replace("dshow:", "")}`,
    ...pcm(rate, channels)
  ]
)

export const alsa = backend("arecord", ["-l"], parseAlsa, (device, rate, channels) => [
  "-q",
  "-D",
  device,
  "-f",
  "S16_LE",
  "-r",
  String(rate),
  "-c",
  String(channels),
  "-t",
  "raw"
])
