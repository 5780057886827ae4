import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Transcript } from "../../contract/Events.ts"
import { countWords, merge, type SettledCall } from "./Merge.ts"
import { askAgainAt, givesUpChunk, outcomesOf, unsettled } from "./Settled.ts"
import { at, chunk, completed, logOf, opened, raised, rejected, segmentOf, transcribed } from "./Specimen.ts"

const call: SettledCall = {
  opened,
  completed: completed(4, 100, 60),
  chunks: [chunk(1, 0, 25, [[1, 21]]), chunk(2, 25, 50, [[26, 46]]), chunk(3, 50, 75, [[51, 61]]), chunk(4, 75, 100, [[80, 90]])],
  transcribed: [
    transcribed(1, [segmentOf("Hello there, everybody.", 1, 4)]),
    transcribed(2, [segmentOf("Second things come second.", 26, 30)], "de")
  ],
  rejected: [rejected(3, 50, 75, "no_speech")],
  dead: [raised("transcriber", 4)],
  version: 1
}

describe("merge", () => {
  it("puts segments in order and makes one text of them", () => {
    const transcript = merge(call)
    assert.strictEqual(transcript.text, "Hello there, everybody. Second things come second.")
    assert.deepStrictEqual(
      transcript.segments.map(({ start }) => start),
      [at(1), at(26)]
    )
    assert.strictEqual(countWords(transcript), 7)
    assert.strictEqual(transcript.ticket, "CASE-7")
    assert.deepStrictEqual(Schema.decodeUnknownSync(Transcript)(JSON.parse(JSON.stringify(transcript))), transcript)
  })

  it("does not depend on the order in which chunks ended", () => {
    const other = merge({ ...call, chunks: call.chunks.toReversed(), transcribed: call.transcribed.toReversed() })
    assert.deepStrictEqual(other, merge(call))
  })

  it("counts speech of chunks without words as lost, with the reason", () => {
    const { coverage } = merge(call)
    assert.deepStrictEqual(coverage, {
      speechSamples: at(60),
      transcribedSamples: at(40),
      ratio: 2 / 3,
      gaps: [
        { start: at(50), end: at(75), unit: 3, reason: "no_speech" },
        { start: at(75), end: at(100), unit: 4, reason: "engine.failed" }
      ]
    })
  })

  it("cannot hide speech that reached no chunk, a chunk that is not in the log, or a transcription without words", () => {
    assert.isBelow(merge({ ...call, completed: completed(4, 100, 80) }).coverage.ratio, 0.51)
    const hole = merge({ ...call, chunks: call.chunks.filter(({ unit }) => unit !== 4), dead: [] }).coverage
    assert.deepStrictEqual(hole.gaps.at(-1), { start: at(75), end: at(100), unit: 4, reason: "missing" })
    const silent = merge({
      ...call,
      transcribed: [transcribed(1, [segmentOf("", 0, 1, [])])],
      rejected: [rejected(2, 25, 50, "marker"), rejected(3, 50, 75, "silence")]
    })
    assert.strictEqual(silent.coverage.ratio, 0)
    assert.deepStrictEqual(
      silent.coverage.gaps.map(({ reason }) => reason),
      ["no_words", "marker", "silence", "engine.failed"]
    )
    assert.match(silent.emptyReason ?? "", /No chunk .* gave words/)
  })

  it("does not call silence a loss", () => {
    const quiet = merge({
      ...call,
      completed: completed(1, 25, 0),
      chunks: [chunk(1, 0, 25, [])],
      transcribed: [],
      rejected: [rejected(1, 0, 25, "silence")],
      dead: []
    })
    assert.deepStrictEqual(quiet.coverage, { speechSamples: 0, transcribedSamples: 0, ratio: 1, gaps: [] })
    assert.strictEqual(quiet.emptyReason, "No speech was detected in the recording.")
  })

  it("completes a call without chunks, and says why it is empty", () => {
    const none = { ...call, completed: completed(0, 3600, 0), chunks: [], transcribed: [], rejected: [], dead: [] }
    assert.strictEqual(merge(none).emptyReason, "No speech was detected in the recording.")
    assert.strictEqual(merge(none).language, "und")
    assert.strictEqual(merge({ ...none, completed: completed(0, 0, 0) }).emptyReason, "The recording holds no audio.")
  })

  it("takes the language of most of the speech", () => {
    assert.strictEqual(merge(call).language, "en")
    const german = [chunk(1, 0, 25, [[1, 5]]), ...call.chunks.slice(1)]
    assert.strictEqual(merge({ ...call, chunks: german }).language, "de")
  })

  it("believes a transcription over an earlier failure of the same chunk", () => {
    const { coverage } = merge({ ...call, dead: [raised("transcriber", 1), raised("transcriber", 4)] })
    assert.deepStrictEqual(
      coverage.gaps.map(({ unit }) => unit),
      [3, 4]
    )
  })
})

describe("settled", () => {
  const outcomes = outcomesOf(
    logOf([...call.transcribed, ...call.rejected, raised("normalizer"), raised("speaker", 4), raised("transcriber")]),
    1
  )

  it("counts each chunk once, and only what the transcriber said of it", () => {
    assert.strictEqual(unsettled(4, outcomes), 1)
    assert.strictEqual(unsettled(4, { ...outcomes, dead: [raised("transcriber", 4), raised("transcriber", 1)] }), 0)
    assert.strictEqual(unsettled(0, { transcribed: [], rejected: [], dead: [] }), 0)
    assert.isFalse(givesUpChunk(raised("bundler", 4)))
  })

  it("never skips the event that settles a call", () => {
    // Twelve chunks of two calls, interleaved on one log in a fixed shuffle; one process handles all of one call.
    const order = Array.from({ length: 24 }, (_, index) => (index * 7) % 24)
    const log = logOf(order.map((n) => rejected((n >> 1) + 1, 0, 1, "silence"))).map((entry, index) => ({
      entry,
      mine: ((order[index] ?? 0) & 1) === 0
    }))
    let askAgain = 0
    let reads = 0
    let settledAt = 0
    for (const { entry, mine } of log) {
      if (!mine || entry.sequence < askAgain) continue
      reads += 1
      const seen = log.filter((other) => other.mine && other.entry.sequence <= entry.sequence).map((other) => other.entry)
      const remaining = 12 - seen.length
      if (remaining === 0) settledAt = entry.sequence
      else askAgain = askAgainAt(remaining, entry.sequence, seen)
    }
    assert.strictEqual(settledAt, log.findLast(({ mine }) => mine)?.entry.sequence)
    assert.isBelow(reads, 7)
  })
})
