import { assert, describe, it } from "@effect/vitest"
import type { Transcript } from "../../../contract/Events.ts"
import { wrapLines } from "../Lines.ts"
import { at, segmentOf, transcript } from "../Specimen.ts"
import { cuesOf, timecode } from "./Cues.ts"
import { transcriptJson } from "./Json.ts"
import { EXPORTERS, FORMATS } from "./registry.ts"
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

  it("cuts subtitles to the reader's limits, and lets short ones stand longer where there is room", () => {
    const text = "This is a sentence that is much too long for one line of ten or of twenty characters."
    const talk = with2({ start: 0, end: at(4), text, words: [] }, { start: at(10), end: at(10.5), text: "Yes." })
    const cues = cuesOf(talk, { lineLength: 20, lines: 1, minSeconds: 2, charactersPerSecond: 4 })
    assert.isAbove(cues.length, 4)
    for (const [index, { start, end, lines }] of cues.entries()) {
      assert.isTrue(lines.length === 1 && (lines[0] ?? "").length <= 20, lines.join("|"))
      assert.isTrue(end > start && end <= (cues[index + 1]?.start ?? Infinity))
    }
    assert.strictEqual(cues.map(({ lines }) => lines.join(" ")).join(" "), `${text} Yes.`)
    assert.deepInclude(cues.at(-1), { start: 10_000, end: 12_000 })
    assert.isAtMost(Math.max(...cuesOf(talk, { maxSeconds: 1 }).map(({ start, end }) => end - start)), 1_001)
  })

  it("writes tables, notes and OpenAI's JSON", async () => {
    const text = async (format: string, of: Transcript) => {
      const rendered = await FORMATS.find((each) => each.format === format)?.render(of)
      return Buffer.from(rendered ?? "").toString("utf8")
    }
    const talk = with2({ speaker: "Ann, B", text: '=SUM("x")' }, { text: "*Two* <b>" })
    assert.strictEqual(
      await text("csv", talk),
      '\uFEFFnumber,start,end,speaker,text\r\n1,0,1,"Ann, B","\'=SUM(""x"")"\r\n2,1,2,,*Two* <b>\r\n'
    )
    const notes = await text("md", {
      ...talk,
      coverage: { ...talk.coverage, gaps: [{ start: at(61), end: at(62), unit: 3, reason: "silence" }] }
    })
    assert.include(notes, "- Ticket: CASE-7")
    assert.include(notes, "1:01 - 1:02: not transcribed (silence)")
    assert.include(notes, "\\*Two\\* \\<b\\>")
    const verbose: Readonly<Record<string, unknown>> = JSON.parse(await text("verbose_json", transcript))
    assert.hasAllKeys(verbose, ["task", "language", "duration", "text", "segments", "words"])
    assert.match(await text("pdf", talk), /^%PDF-/)
    assert.match(await text("docx", talk), /^PK/)
    assert.strictEqual(await text("pdf", empty), await text("pdf", empty), "the same bytes each time")
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
