/**
 * A sound server for tests, as the recorder sees one: the programs `pactl` and `parec` on the PATH. Its one microphone
 * can be pulled out and plugged in again.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"

export const MICROPHONE = "test-microphone"

/** A tone in real time, 20 ms at once, until the microphone is gone. */
const PAREC = (sources: string) => `
import { readFileSync } from "node:fs"
const argument = (name, otherwise) => Number(process.argv.find((each) => each.startsWith(name))?.slice(name.length) ?? otherwise)
const [rate, channels] = [argument("--rate=", 48000), argument("--channels=", 1)]
const began = performance.now()
let given = 0
setInterval(() => {
  if (!readFileSync(${JSON.stringify(sources)}, "utf8").includes(${JSON.stringify(MICROPHONE)})) {
    process.stderr.write("Stream error: No such entity\\n")
    process.exit(1)
  }
  const due = Math.floor(((performance.now() - began) / 1000) * rate)
  const pcm = new Int16Array((due - given) * channels)
  for (let i = 0; i < due - given; i += 1)
    for (let c = 0; c < channels; c += 1) pcm[i * channels + c] = Math.round(6000 * Math.sin((given + i) * 0.03))
  given = due
  process.stdout.write(Buffer.from(pcm.buffer))
}, 20)
`

export interface SoundServer {
  /** For the program's environment. */
  readonly path: string
  readonly pullOut: () => void
  readonly plugIn: () => void
  readonly remove: () => void
}

export const soundServer = (): SoundServer => {
  const folder = mkdtempSync(join(tmpdir(), "voxbus-sound-"))
  const sources = join(folder, "sources.json")
  const microphone = {
    name: MICROPHONE,
    description: "Test microphone",
    sample_specification: "s16le 1ch 48000Hz",
    properties: { "device.class": "sound" }
  }
  const program = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    chmodSync(join(folder, name), 0o755)
  }
  const plugIn = () => writeFileSync(sources, JSON.stringify([microphone]))
  plugIn()
  writeFileSync(join(folder, "parec.mjs"), PAREC(sources))
  program("parec", `#!/bin/sh\nexec "${process.execPath}" "${join(folder, "parec.mjs")}" "$@"\n`)
  program("pactl", `#!/bin/sh\ncase "$*" in *list*) cat "${sources}";; *) echo ${MICROPHONE};; esac\n`)
  return {
    path: `${folder}${delimiter}${process.env["PATH"] ?? ""}`,
    pullOut: () => writeFileSync(sources, "[]"),
    plugIn,
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
