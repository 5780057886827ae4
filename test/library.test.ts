/** After a call, through the real program: search, edits, exports, keywords; and a deletion that leaves no word on the disk. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { type Running, startProgram } from "./support/program.ts"
import { speechFile } from "./support/speech.ts"

let voxbus: Running
let session = ""
let folder = ""

beforeAll(async () => {
  const call = await speechFile(["The printer on the second floor has stopped working since yesterday.", "I will send a technician."])
  voxbus = await startProgram({ VOXBUS_TRANSCRIBER_MODEL: "whisper-tiny.en", VOXBUS_KEYWORDS: "technic*" })
  const { json, stderr } = await voxbus.run("transcribe", call, "--json", "--title", "Printer", "--ticket", "T-9")
  assert.isDefined(json[0]?.session, stderr)
  session = json[0].session
  folder = json[0].folder
}, 120_000)

afterAll(async () => {
  await voxbus.stop()
})

const files = (of: string): ReadonlyArray<string> =>
  readdirSync(of).flatMap((name) => {
    const path = join(of, name)
    return statSync(path).isDirectory() ? files(path) : [path]
  })
const holding = (word: string) => files(voxbus.home).filter((path) => statSync(path).isFile() && readFileSync(path).includes(word))
const search = async (...query: ReadonlyArray<string>): Promise<ReadonlyArray<any>> =>
  JSON.parse((await voxbus.run("search", "--json", ...query)).stdout)

describe("after a call", () => {
  it("lists, searches and edits it, and names its files as asked", async () => {
    const [only] = (await voxbus.run("sessions", "--json")).json
    assert.deepInclude(only, { session, title: "Printer", ticket: "T-9", state: "completed", folder })
    assert.includeMembers(readdirSync(folder), [
      `${basename(folder)}.vtb`,
      "audio_raw.wav",
      "audio_16k.wav",
      "transcript.txt",
      "transcript.srt"
    ])
    const [hit] = await search("PRINTER")
    assert.strictEqual(hit.session, session)
    assert.isTrue(typeof hit.start === "number" && hit.start < 5 && /printer/i.test(hit.text))
    assert.strictEqual((await voxbus.run("edit", session, "-s", "1", "--text", "The zanzibar printer.")).code, 0)
    assert.lengthOf(await search("zanzibar"), 1)
    assert.strictEqual((await voxbus.run("edit", session, "--undo")).code, 0)
    assert.lengthOf(await search("zanzibar"), 0)
    assert.strictEqual((await voxbus.run("edit", session, "--redo")).code, 0)
    const [detail] = (await voxbus.run("sessions", "show", session, "--json")).json
    assert.strictEqual(detail.keywords[0]?.keyword, "technic*")
  })

  it("exports it, also with an exporter of the user, and overwrites nothing unasked", async () => {
    mkdirSync(join(voxbus.home, "exporters"))
    writeFileSync(
      join(voxbus.home, "exporters", "shout.mjs"),
      'export default { format: "shout", extension: "txt", render: (t) => t.text.toUpperCase() }'
    )
    writeFileSync(join(voxbus.home, "exporters", "broken.mjs"), "export default 1")
    const out = join(voxbus.home, "out")
    for (const [format, head] of [
      ["pdf", "%PDF-"],
      ["docx", "PK"],
      ["shout", "THE ZANZIBAR"],
      ["csv", "\uFEFFnumber"]
    ] as const) {
      const made = await voxbus.run("export", session, "-f", format, "-o", out, "--force", "--json")
      assert.strictEqual(made.code, 0, made.stderr)
      assert.isTrue(readFileSync(out).subarray(0, 40).toString("utf8").startsWith(head), format)
    }
    assert.include((await voxbus.run("export", session, "-f", "txt", "-o", out)).stderr, "file.exists")
    assert.include((await voxbus.run("export", session, "-f", "nope")).stderr, "verbose_json, csv, md, pdf, docx, shout")
    writeFileSync(out, "")
  })

  it("erases it: no file of the home holds a word of it", async () => {
    assert.isNotEmpty(holding("zanzibar"))
    const { code, json, stderr } = await voxbus.run("delete", session, "--yes", "--json")
    assert.strictEqual(code, 0, stderr)
    assert.isAbove(json[0].events, 5)
    for (const word of ["zanzibar", "printer", "Printer", "second floor", "T-9"]) assert.deepStrictEqual(holding(word), [], word)
    assert.isFalse(files(voxbus.home).some((path) => path.startsWith(folder)))
    assert.isEmpty((await voxbus.run("sessions", "--json")).json)
    assert.include((await voxbus.run("delete", session, "--yes")).stderr, "session.unknown")
  })
})
