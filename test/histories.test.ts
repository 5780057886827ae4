/**
 * Every history of every released version: it can be read, its folds say what they said then, its bundles prove
 * themselves, and where its engines are fixed a replay gives the same events
 * (to the byte, but for settings that came later with a default; `replay.test.ts` has the strict case). An event that was ever on a log stays
 * readable for ever: never delete a file here because it fails.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { existsSync, readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { join } from "node:path"
import { verifyBundle } from "../actors/bundler/Verify.ts"
import { Blobs } from "../kernel/Blobs.ts"
import { decode } from "../kernel/Envelope.ts"
import { Frames } from "../kernel/Frames.ts"
import { Models } from "../kernel/Models.ts"
import { Settings } from "../kernel/Settings.ts"
import { testLayer } from "../kernel/testkit/Testkit.ts"
import { VERSION } from "../launcher/commands/version.ts"
import { replayRecording } from "../launcher/replay/Replay.ts"
import { showRecording } from "../launcher/replay/Show.ts"
import { type History, readHistory } from "./support/histories.ts"

const FOLDER = fileURLToPath(new URL("histories/", import.meta.url))
const versions = readdirSync(FOLDER, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
const files = (version: string, ending: string) => readdirSync(join(FOLDER, version)).filter((name) => name.endsWith(ending))

/** What the actors of a replay need: a store with the history's audio, and nothing of this machine. */
const world = ({ head, blobs, frames }: History) =>
  Layer.mergeAll(
    testLayer,
    Models.layer.pipe(Layer.provideMerge(Settings.layer())),
    Layer.succeed(
      Frames,
      Frames.of({
        read: (_owner, { first, last }) =>
          Stream.fromIterable([...frames].flatMap(([sequence, bytes]) => (sequence >= first && sequence <= last ? [bytes] : []))),
        follow: () => Stream.empty,
        saved: () => Stream.empty
      })
    )
  ).pipe(
    Layer.tap((services) =>
      Effect.forEach(blobs, (bytes) => Effect.flatMap(Blobs, (store) => store.put(head, bytes, "application/octet-stream"))).pipe(
        Effect.provide(services)
      )
    )
  )

const recordingOf = ({ head, records }: History) => ({ mode: head.mode, session: head.session, records })

describe.each(versions)("histories of %s", (version) => {
  it.each(files(version, ".jsonl"))("%s can be read, and means what it meant", async (name) => {
    const history = readHistory(join(FOLDER, version, name))
    for (const record of history.records) await Effect.runPromise(decode(record))
    const shown = await Effect.runPromise(showRecording(recordingOf(history), undefined))
    const { state, text, context, version: transcript } = shown
    assert.deepStrictEqual(
      { state, text, ...(transcript === undefined ? {} : { version: transcript }), ...(context === undefined ? {} : { context }) },
      history.head.expected
    )
    // As of any of its events, too.
    for (const { sequence } of history.records) await Effect.runPromise(showRecording(recordingOf(history), sequence))
  })

  it.each(files(version, ".jsonl").filter((name) => readHistory(join(FOLDER, version, name)).head.fixedEngines))(
    "%s is the same when it is replayed, from any stage",
    async (name) => {
      const history = readHistory(join(FOLDER, version, name))
      for (const fromStage of history.head.mode === "call"
        ? (["normalizer", "bundler"] as const)
        : (["normalizer", "reasoner", "speaker"] as const)) {
        const report = await Effect.runPromise(
          replayRecording(recordingOf(history), { session: history.head.session, fromStage }).pipe(Effect.provide(world(history)))
        )
        assert.deepStrictEqual(report.differences, [], `${name} from ${fromStage}`)
        assert.isTrue(report.equivalent)
        assert.isAbove(report.events.recorded, 0)
        assert.isEmpty(report.texts.filter(({ added, removed }) => added + removed > 0))
      }
    }
  )

  it.each(files(version, ".vtb"))("%s proves itself", async (name) => {
    const { ok, problems } = await Effect.runPromise(verifyBundle(join(FOLDER, version, name)))
    assert.deepStrictEqual([ok, problems], [true, []])
  })
})

it("there are histories of this version", () => {
  assert.isTrue(existsSync(join(FOLDER, VERSION)), "run `npm run histories:record`")
})
