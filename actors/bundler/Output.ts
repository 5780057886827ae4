/**
 * Everything a finished call leaves on the disk: the recording as it came and at 16 kHz, the transcript in every format,
 * and the sealed bundle. One call, one folder; audio is streamed, so memory does not grow with its length.
 */
import * as Effect from "effect/Effect"
import { rm } from "node:fs/promises"
import { isAbsolute, join } from "node:path"
import type { EventOf, Transcript } from "../../contract/Events.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { Settings } from "../../kernel/Settings.ts"
import { EXPORTERS } from "./exports/registry.ts"
import { hashFile, onDisk, writeAll, writing } from "./Files.ts"
import { bundleName, candidates, findOutput, partialFolder, publishFolder } from "./OutputFolder.ts"
import { writeRecording } from "./Recording.ts"
import { loadSigner } from "./SealKey.ts"
import { writeBundle } from "./Vtb.ts"

export interface FinishedCall {
  readonly opened: EventOf<"session.opened">
  readonly captured: ReadonlyArray<EventOf<"audio.captured">>
  readonly transcript: Transcript
  /** Up to and with `transcript.completed`. */
  readonly events: ReadonlyArray<Logged>
  /** Where the first version is; further ones go into it. */
  readonly firstFolder?: string
}

/** Writes the folder of a call, or finds it whole; the same call gives the same names however often it runs. */
export const writeOutput = Effect.fnUntraced(function* (call: FinishedCall) {
  const settings = yield* Settings
  const { opened, transcript } = call
  const asked = opened.config.outputFolder
  const base = asked !== "" && isAbsolute(asked) ? asked : settings.outputFolder
  const root = transcript.version === 1 ? base : (call.firstFolder ?? base)
  const names = candidates(opened, transcript.version)
  const found = yield* findOutput(root, opened, names)
  if (found !== undefined) return found

  const partial = yield* partialFolder(root, opened)
  const signer = yield* loadSigner(settings.home)
  const { opus, files: audio } = yield* writeRecording(partial, { opened, captured: call.captured, samples: transcript.samples })
  const kept = settings.output.audio ? audio : []
  for (const name of audio) if (!kept.includes(name)) yield* onDisk(partial, () => rm(join(partial, name)))
  const exports = EXPORTERS.map((exporter) => ({
    name: `transcript.${exporter.extension}`,
    bytes: Buffer.from(exporter.render(transcript))
  }))
  for (const { name, bytes } of exports) {
    yield* onDisk(join(partial, name), () => writing(join(partial, name), (file) => writeAll(file, bytes)))
  }
  const written = [...kept, ...exports.map(({ name }) => name)]
  const beside = yield* Effect.forEach(written, (name) =>
    onDisk(partial, async (signal) => ({ name, ...(await hashFile(join(partial, name), signal)) }))
  )
  const bundle = bundleName(opened)
  const sealed = yield* writeBundle(
    join(partial, bundle),
    {
      opened,
      transcript,
      exports,
      beside,
      events: call.events,
      ...(opus === undefined ? {} : { recording: opus })
    },
    signer
  )
  const { head, events, publicKey, signature } = sealed.seal
  return yield* publishFolder(root, opened, names, partial, {
    bundle,
    files: [...beside, { name: bundle, bytes: sealed.bytes, sha256: sealed.sha256 }],
    seal: { head, events, publicKey, signature }
  })
}, Effect.scoped)
