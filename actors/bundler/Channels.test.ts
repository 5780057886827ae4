import { assert, describe, it } from "@effect/vitest"
import type { Segment } from "../../contract/Events.ts"
import { bySpeaker } from "./Channels.ts"

const word = (text: string, start: number) => ({ word: text, start, end: start + 1_000, probability: 1 })
const segment: Segment = {
  start: 0,
  end: 4_000,
  text: "Hello there. Yes please.",
  words: [word("Hello", 0), word("there.", 1_000), word("Yes", 2_000), word("please.", 3_000)],
  avgLogprob: 0,
  noSpeechProbability: 0,
  compressionRatio: 1,
  temperature: 0
}

describe("channels as speakers", () => {
  it("splits a segment that both sides speak in", () => {
    const channels = [
      { start: 0, end: 1_900, channel: 0 },
      { start: 2_100, end: 4_000, channel: 1 }
    ]
    assert.deepStrictEqual(
      bySpeaker([segment], channels).map(({ start, end, text, speaker }) => ({ start, end, text, speaker })),
      [
        { start: 0, end: 2_000, text: "Hello there.", speaker: "Channel 1" },
        { start: 2_000, end: 4_000, text: "Yes please.", speaker: "Channel 2" }
      ]
    )
  })
  it("names nobody without channels", () => assert.deepStrictEqual(bySpeaker([segment], []), [segment]))
})
