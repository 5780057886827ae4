import { assert, describe, it } from "@effect/vitest"
import type { Transcript } from "../../../contract/Events.ts"
import { wrapLines } from "../Lines.ts"
import { at, segmentOf, transcript } from "../Specimen.ts"
import { timecode } from "./Cues.ts"
import { transcriptJson } from "./Json.ts"
import { EXPORTERS } from "./registry.ts"
import { seconds } from "./Seconds.ts"

const render = (format: string, of: Transcript = transcript): string => {
  const exporter = EXPORTERS.find((candidate) => candidate.format === format)
  return exporter === undefined ? assert.fail(`no ${format}`) : Buffer.from(exporter.render(of)).toString("utf8")
}
const empty: Transcript = { ...transcript, text: "", segments: [], emptyReason: "No speech." }
const with2 = (one: Partial<Transcript["segments"][number]>, two: Partial<Transcript["segments"][number]>): Transcript => ({
  ...transcript,
  segments: [
    { ...segmentOf("One.", 0, 1), text: "One.", ...one },
    { ...segmentOf("Two.", 1, 2), text: "Two.", ...two }
  ]
})

describe("exports", () => {
  it("writes SRT", () => {
    assert.strictEqual(
      render("srt"),
      "1\n00:00:00,500 --> 00:00:01,500\nHello there.\n\n2\n00:00:01,500 --> 00:00:03,900\nTom & Ann said <hi> → bye.\n"
    )
    assert.strictEqual(render("srt", empty), "")
  })

  it("writes WebVTT with its specials escaped", () => {
    assert.strictEqual(
      render("vtt"),
      "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nHello there.\n\n00:00:01.500 --> 00:00:03.900\nTom &amp; Ann said &lt;hi&gt; --&gt; bye.\n"
    )
    assert.strictEqual(render("vtt", empty), "WEBVTT\n")
  })

  it("names speakers", () => {
    const talk = with2({ speaker: "Ann" }, { speaker: "B <b>" })
    assert.match(render("srt", talk), /\nAnn: One\./)
    assert.match(render("vtt", talk), /\n<v B &lt;b&gt;>Two\./)
    assert.strictEqual(render("txt", talk), "Ann: One.\n\nB <b>: Two.\n")
  })

  it("never lets subtitles overlap, run backwards or vanish", () => {
    // Half a millisecond each, overlapping, and a zero-length one.
    const odd = with2({ start: 8, end: 24 }, { start: 20, end: 20 })
    assert.deepStrictEqual(
      [...render("srt", odd).matchAll(/^\d\d:.*$/gm)].map(([line]) => line),
      ["00:00:00,001 --> 00:00:00,002", "00:00:00,002 --> 00:00:00,003"]
    )
  })

  it("writes text in paragraphs", () => {
    assert.strictEqual(render("txt"), "Hello there. Tom & Ann said <hi> --> bye.\n")
    assert.strictEqual(render("txt", with2({}, { start: at(9), end: at(10) })), "One.\n\nTwo.\n")
    assert.strictEqual(render("txt", empty), "")
  })

  it("writes JSON with seconds", () => {
    const parsed = JSON.parse(render("json")) as unknown
    assert.deepStrictEqual(parsed, JSON.parse(JSON.stringify(transcriptJson(transcript))))
    const view = transcriptJson(transcript)
    assert.strictEqual(view.durationSeconds, 4)
    assert.strictEqual(view.coverage.ratio, 1)
    assert.deepStrictEqual(view.segments[0]?.words[0], { word: " Hello", start: 0.5, end: 1, probability: 0.9 })
    assert.strictEqual(seconds(1), 0)
    assert.strictEqual(seconds(16_008), 1.001)
  })

  it("keeps hours apart and rolls over at the right places", () => {
    assert.strictEqual(timecode(3_599_999, ","), "00:59:59,999")
    assert.strictEqual(timecode(100 * 3_600_000, "."), "100:00:00.000")
  })

  it("breaks lines evenly, at spaces, and inside scripts without them", () => {
    assert.deepStrictEqual(wrapLines("It was the best of times, it was the worst of times"), [
      "It was the best of times,",
      "it was the worst of times"
    ])
    const chinese = "今天天气很好".repeat(12)
    assert.isTrue(wrapLines(chinese).every((line) => line.length <= 42))
    assert.strictEqual(wrapLines(chinese).join(""), chinese)
  })
})
