import { assert, describe, it } from "@effect/vitest"
import { type ActorHealth, overall } from "./Health.ts"

const actors = (...statuses: ReadonlyArray<ActorHealth["status"]>) => statuses.map((status, n) => ({ actor: `a${n}`, status, detail: "" }))

describe("Health", () => {
  it("is as good as its worst part", () => {
    assert.strictEqual(overall([]), "starting")
    assert.strictEqual(overall(actors("ready", "starting")), "starting")
    assert.strictEqual(overall(actors("ready", "ready")), "ok")
    assert.strictEqual(overall(actors("ready", "starting", "degraded")), "degraded")
    assert.strictEqual(overall(actors("down", "ready")), "degraded")
  })
})
