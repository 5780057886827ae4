/**
 * Everything a finished call leaves on the disk: the recording as it came and at 16 kHz, the transcript in every format,
 * and the sealed bundle. One call, one folder; audio is streamed, so memory does not grow with its length.
 */
import * as Effect from "effect/Effect"
import { isAbsolute, join } from "node:path"
import type { EventOf, Transcript } from "../../contract/Events.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { Settings } from "../../kernel/Settings.ts"
import { EXPORTERS } from "./exports/registry.ts"
import { hashFile, onDisk, writeAll, writing } from "./Files.ts"
import { bundleName, findOutput, partialFolder, publishFolder } from "./OutputFolder.ts"
import { writeRecording } from "./Recording.ts"
import { loadSigner } from "./SealKey.ts"
import { writeBundle } from "./Vtb.ts"

export interface FinishedCall {
  readonly opened: EventOf<"session.opened">
  readonly captured: ReadonlyArray<EventOf<"audio.captured">>
  readonly transcript: Transcript
  /** Up to and with `transcript.completed`. */
  readonly events: ReadonlyArray<Logged>
}

/** Writes the folder of a call, or finds it whole; the same call gives the same names however often it runs. */
export const writeOutput = Effect.fnUntraced(function* (call: FinishedCall) {
  const settings = yield* Settings
  const { opened, transcript } = call
  const asked = opened.config.outputFolder
  const root = asked !== "" && isAbsolute(asked) ? asked : settings.outputFolder
  const found = yield* findOutput(root, opened)
  if (found !== undefined) return found

  const partial = yield* partialFolder(root, opened)
  const signer = yield* loadSigner(settings.home)
  const recorded = yield* writeRecording(partial, { opened, captured: call.captured, samples: transcript.samples })
  const exports = EXPORTERS.map((exporter) => ({
    name: `transcript.${exporter.extension}`,
    bytes: Buffer.from(exporter.render(transcript))
  }))
  for (const { name, bytes } of exports) {
    yield* onDisk(join(partial, name), () => writing(join(partial, name), (file) => writeAll(file, bytes)))
  }
  const names = [...recorded.files, ...exports.map(({ name }) => name)]
  const beside = yield* Effect.forEach(names, (name) =>
    onDisk(partial, async (signal) => ({ name, ...(await hashFile(join(partial, name), signal)) }))
  )
  const bundle = bundleName(opened)
  const written = yield* writeBundle(
    join(partial, bundle),
    {
      opened,
      transcript,
      exports,
      beside,
      events: call.events,
      ...(recorded.opus === undefined ? {} : { recording: recorded.opus })
    },
    signer
  )
  const { head, events, publicKey, signature } = written.seal
  return yield* publishFolder(root, opened, partial, {
    bundle,
    files: [...beside, { name: bundle, bytes: written.bytes, sha256: written.sha256 }],
    seal: { head, events, publicKey, signature }
  })
}, Effect.scoped)
