import { assert, describe, it } from "@effect/vitest"
import { type Heard, step } from "./Calls.ts"
import { detectorOf } from "./Detector.ts"
import { usersOf } from "./pulse.ts"

const output = (source: number, name: string, more: object = {}) => ({
  source,
  corked: false,
  resample_method: "",
  properties: { "application.name": name },
  ...more
})
const sources = JSON.stringify([
  { index: 0, name: "sink.monitor", properties: { "device.class": "monitor" } },
  { index: 1, name: "mic", properties: {} }
])

describe("call detection", () => {
  it("counts programs that record a microphone, and nobody else", () => {
    const outputs = [
      output(1, "Meeting"),
      output(1, "Meeting"),
      output(0, "screen recorder"),
      output(1, "muted call", { corked: true }),
      output(1, "mixer", { resample_method: "peaks" }),
      output(1, "voxbus"),
      output(1, "", { properties: { "application.process.binary": "softphone" } })
    ]
    assert.deepStrictEqual(usersOf(JSON.stringify(outputs), sources), ["Meeting", "softphone"])
    assert.isUndefined(usersOf("Connection failure: Connection refused", sources))
  })

  it("makes a call of what lasts, and ends it when it is over", () => {
    const log: Array<string> = []
    let heard: ReadonlyMap<string, Heard> = new Map()
    const look = (now: number, ...users: ReadonlyArray<string>) => {
      const next = step(heard, users, now, 3_000)
      heard = next.heard
      for (const { application } of next.started) log.push(`${now} + ${application}`)
      for (const { application, since, until } of next.ended) log.push(`${now} - ${application} ${until - since}`)
      return next.wakeMs
    }
    assert.strictEqual(look(0, "zoom"), 3_000)
    assert.strictEqual(look(1_000), undefined)
    assert.strictEqual(look(10_000, "zoom"), 3_000)
    assert.strictEqual(look(12_000, "zoom", "teams"), 1_000)
    assert.strictEqual(look(13_000, "zoom"), undefined)
    assert.strictEqual(look(20_000), 3_000)
    // Back before it was over: the same call.
    assert.strictEqual(look(21_000, "zoom"), undefined)
    assert.strictEqual(look(30_000), 3_000)
    assert.strictEqual(look(33_000), undefined)
    assert.deepStrictEqual(log, ["13000 + zoom", "33000 - zoom 20000"])
  })

  it("says that other systems cannot tell", () => {
    assert.isUndefined(detectorOf("darwin"))
    assert.isUndefined(detectorOf("win32"))
  })
})
