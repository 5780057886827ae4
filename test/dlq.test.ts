/** Dead letters through the real program, with the test-kit's engines: each kind of failure, tried again, mended. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ulid } from "ulid"
import { verifyBundle } from "../actors/bundler/Verify.ts"
import { DropLetters, ListLetters, RestoreLetters, RetryLetters, ShowLetter } from "../contract/DlqCommands.ts"
import { ShowSession } from "../contract/HistoryCommands.ts"
import * as Effect from "effect/Effect"
import { type BusOf, busOf, until } from "./support/bus.ts"
import { type Running, startProgram, TESTKIT_ENGINES } from "./support/program.ts"
import { toneFile } from "./support/tones.ts"

let voxbus: Running
let bus: BusOf
let call: string

beforeAll(async () => {
  call = toneFile([
    [0.5, 27],
    [29, 50]
  ])
  voxbus = await startProgram(TESTKIT_ENGINES)
  bus = await busOf(voxbus)
}, 60_000)

afterAll(async () => {
  await bus.close()
  await voxbus.stop()
})

const open = async () => (await bus.ask(ListLetters, {})).letters
const letter = async (id: number) => (await bus.ask(ShowLetter, { id })).letter
/** Gives them back and waits until they are settled. */
const retry = async (choice: { readonly ids: ReadonlyArray<number> } | { readonly all: true }) => {
  const { letters } = await bus.ask(RetryLetters, choice)
  return Promise.all(
    letters.map(({ id }) =>
      until(async () => {
        const now = await letter(id)
        return now.state === "retrying" ? undefined : now
      })
    )
  )
}
const isWhole = async (path: string) => (await Effect.runPromise(verifyBundle(path))).ok

describe("dead letters", () => {
  it("of a file that is no audio: the reason, an error in the session, and again when the retry fails too", async () => {
    const path = join(voxbus.home, "text.wav")
    writeFileSync(path, "this is not audio\n".repeat(50))
    assert.strictEqual((await voxbus.run("transcribe", path, "--json")).json[0].error, "audio.unreadable")
    const [first] = await open()
    assert.deepInclude(first, { actor: "normalizer", code: "audio.unreadable", state: "open" })
    const retried = await voxbus.run("dlq", "retry", String(first?.id), "--json")
    assert.strictEqual(retried.code, 5)
    assert.deepInclude(retried.json[0], { state: "failed" })
    assert.strictEqual((await bus.events(`error.raised.call.${first?.session}.>`)).length, 2)
    const [second] = await open()
    assert.deepInclude(second, { id: retried.json[0].newer, retryOf: first?.id ?? 0, state: "open" })
    await bus.ask(DropLetters, { all: true })
    assert.isEmpty(await open())
    await bus.ask(RestoreLetters, { ids: [second?.id ?? 0] })
    assert.strictEqual((await open()).length, 1)
    await bus.ask(DropLetters, { all: true })
    assert.include((await voxbus.run("dlq", "show", "999")).stderr, "letter.unknown")
  })

  it("of an event that is none", async () => {
    const session = ulid()
    await bus.publish(`audio.captured.call.${session}.000001`, '{"_tag":"audio.captured","v":1}')
    const found = await until(async () => (await open()).find((each) => each.session === session))
    assert.deepInclude(found, { actor: "normalizer", code: "event.invalid", unit: 1 })
    assert.include((await bus.ask(ShowLetter, { id: found.id })).body, "audio.captured")
    await until(async () => (await bus.events(`error.raised.call.${session}.>`))[0])
    await bus.ask(DropLetters, { ids: [found.id] })
  })

  it("of an engine that fails: the call completes with its gaps; mended and tried again, version 2 stands beside", async () => {
    const broken = join(voxbus.home, "broken")
    writeFileSync(broken, "")
    const [first] = (await voxbus.run("transcribe", call, "--model", broken, "--json")).json
    assert.strictEqual(first.text, "")
    assert.strictEqual(first.coverage.ratio, 0)
    assert.deepStrictEqual(
      first.coverage.gaps.map((gap: any) => gap.reason),
      ["engine.failed", "engine.failed"]
    )
    rmSync(broken)
    assert.deepStrictEqual(
      (await retry({ all: true })).map(({ state }) => state),
      ["done", "done"]
    )
    const ready = await until(async () =>
      (await bus.events(`bundle.ready.call.${first.session}.>`)).find(({ event }) => event.version === 2)
    )
    assert.strictEqual(ready.event.folder, join(first.folder, "v2"))
    const shown = await bus.ask(ShowSession, { session: first.session })
    assert.deepInclude(shown, { state: "COMPLETED", version: 2 })
    assert.strictEqual(shown.coverage?.ratio, 1)
    assert.isNotEmpty(shown.text)
    // Both at once are one version, and both bundles are whole.
    assert.strictEqual((await bus.events(`transcript.completed.call.${first.session}.>`)).length, 2)
    assert.isTrue(await isWhole(first.bundle))
    assert.isTrue(await isWhole(join(ready.event.folder, ready.event.bundle)))
    // As it was before: nothing of it is lost.
    const [firstReady] = await bus.events(`bundle.ready.call.${first.session}.000001`)
    const was = await bus.ask(ShowSession, { session: first.session, at: firstReady.sequence })
    assert.deepInclude(was, { state: "COMPLETED", version: 1, text: "" })
  })

  it("of a turn whose engine fails: mended and tried again, it is answered", async () => {
    const broken = join(voxbus.home, "broken-turn")
    writeFileSync(broken, "")
    const asked = await voxbus.run("ask", toneFile([[0.2, 1.6]]), "--model", broken, "--json")
    assert.strictEqual(asked.code, 5, asked.stderr)
    const [failed] = await open()
    assert.deepInclude(failed, { actor: "transcriber", code: "engine.failed" })
    rmSync(broken)
    assert.deepInclude((await retry({ ids: [failed?.id ?? 0] }))[0], { state: "done" })
    const shown = await until(async () => {
      const now = await bus.ask(ShowSession, { session: failed?.session ?? "" })
      return now.state === "IDLE" ? now : undefined
    })
    assert.strictEqual(shown.context?.at(-1)?.role, "assistant")
  })

  it("of a folder that cannot be written: once it can, the call completes", async () => {
    const output = join(voxbus.home, "output")
    renameSync(output, `${output}-aside`)
    writeFileSync(output, "a file where the folder should be")
    const failed = await voxbus.run("transcribe", call, "--json")
    assert.strictEqual(failed.json[0].error, "bundle.unwritable")
    const [found] = await open()
    assert.deepInclude(found, { actor: "bundler", code: "bundle.unwritable", attempts: 5 })
    const session = found?.session ?? ""
    assert.strictEqual((await bus.ask(ShowSession, { session })).state, "ERROR")
    rmSync(output)
    renameSync(`${output}-aside`, output)
    assert.deepInclude((await retry({ ids: [found?.id ?? 0] }))[0], { state: "done" })
    const [ready] = await bus.events(`bundle.ready.call.${session}.>`)
    assert.isTrue(await isWhole(join(ready.event.folder, ready.event.bundle)))
    assert.strictEqual((await bus.ask(ShowSession, { session })).state, "COMPLETED")
  })
})
