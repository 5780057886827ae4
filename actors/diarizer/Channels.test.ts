import { assert, describe, it } from "@effect/vitest"
import { byChannel, makeMeter } from "./Channels.ts"

const SECOND = 16_000

/** Two channels in which people speak in turn, a second each; `leak` is how much of one is heard in the other. */
const talk = (turns: string, leak: number) => {
  const samples = new Int16Array(2 * SECOND * turns.length)
  for (let i = 0; i < SECOND * turns.length; i += 1) {
    const voice = 8_000 * Math.sin(i / 7)
    const left = turns[Math.floor(i / SECOND)] === "L"
    samples[2 * i] = voice * (left ? 1 : leak)
    samples[2 * i + 1] = voice * (left ? leak : 1)
  }
  return samples
}
const segmentsOf = (turns: string) => [...turns].map((_, i) => ({ start: i * SECOND + 100, end: (i + 1) * SECOND - 100 }))
const found = (turns: string, leak: number, block = 1_000) => {
  const meter = makeMeter()
  const samples = talk(turns, leak)
  for (let at = 0; at < samples.length; at += block) meter.push(samples.subarray(at, at + block))
  return byChannel(segmentsOf(turns), meter.energies())
}

describe("speakers by channel", () => {
  it("are the louder channel of each segment, also with cross-talk", () => {
    for (const leak of [0, 0.2, 0.5]) {
      const finding = found("LRRL", leak)
      assert.deepStrictEqual(finding?.segments, ["speaker-1", "speaker-2", "speaker-2", "speaker-1"])
      assert.deepStrictEqual(finding?.speakers, [
        { id: "speaker-1", samples: 2 * (SECOND - 200) },
        { id: "speaker-2", samples: 2 * (SECOND - 200) }
      ])
    }
  })

  it("do not depend on how the audio is cut into blocks", () => {
    assert.deepStrictEqual(found("LRL", 0.1, 4_098), found("LRL", 0.1, 2))
  })

  it("are not told apart where both channels hold the same or only one speaks", () => {
    assert.isUndefined(found("LRRL", 1))
    assert.isUndefined(found("LRRL", 0.8))
    assert.isUndefined(found("LLL", 0))
    assert.isUndefined(byChannel([], []))
  })
})
