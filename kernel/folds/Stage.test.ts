import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../contract/Events.ts"
import { callStage } from "./Stage.ts"

/** Only what the folds look at. */
const event = (_tag: Event["_tag"], more: object = {}) => ({ _tag, ...more }) as unknown as Event

const CALL: ReadonlyArray<readonly [Event, string]> = [
  [event("job.queued"), "INITIALIZING"],
  [event("session.opened"), "RECORDING"],
  [event("audio.captured"), "NORMALIZING"],
  [event("audio.normalized"), "TRANSCRIBING"],
  [event("error.raised", { actor: "transcriber", unit: 1 }), "TRANSCRIBING"],
  [event("transcript.completed", { version: 1 }), "BUNDLING"],
  [event("error.raised", { actor: "bundler" }), "ERROR"],
  [event("bundle.ready", { version: 1 }), "COMPLETED"],
  [event("transcript.requested", { version: 2 }), "TRANSCRIBING"],
  [event("transcript.completed", { version: 2 }), "BUNDLING"],
  [event("bundle.ready", { version: 2 }), "COMPLETED"]
]

describe("Stage", () => {
  it("follows a call through every event", () => {
    assert.strictEqual(callStage([]), "IDLE")
    for (const [index, [last, expected]] of CALL.entries())
      assert.strictEqual(callStage(CALL.slice(0, index + 1).map(([each]) => each)), expected, `${index}: ${last._tag}`)
  })
})
