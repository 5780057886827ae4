/**
 * A summary of a call: the transcript in parts that fit the model's window, each part summed up, then the parts together
 * into a summary, action items and keywords. What comes is text of a language model: it is published as an event of its
 * own, marked as generated, and the transcript is never touched.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import type { EventOf, SessionEvent, Summary, Transcript } from "../../contract/Events.ts"
import type { ReasonerOptions, SessionConfig } from "../../contract/Session.ts"
import type { ActorContext } from "../../kernel/Actor.ts"
import type { Blobs } from "../../kernel/Blobs.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { TRANSCRIPT_EVENTS, transcriptFrom } from "../../kernel/Transcripts.ts"
import type { Engine, Message } from "./Engine.ts"
import { Engines } from "./Engines.ts"

/** Most tokens of an answer; a small window gives a twelfth of it. A small model that writes more repeats itself. */
const ANSWER = 400
/** Tokens of what surrounds the text in the prompt, and of the window of an engine that does not say. */
const AROUND = 250
const WINDOW = 8_192
/** Characters of a token, on the safe side for languages other than English. */
const PER_TOKEN = 3

const NOTES = "You take notes of phone calls. Use only what was said. Do not invent anything."
const PART = "Sum up this part of a call in at most five short sentences."
const WHOLE =
  "Write notes of this call. First a line that begins with SUMMARY: and two to four sentences. Then a line ACTION ITEMS: and below it one line beginning with - for each thing that somebody has to do, or - none. Then a line that begins with KEYWORDS: and up to eight keywords separated by commas."

/** Lines of the transcript with their speakers, in parts of at most `limit` characters; a longer line is cut. */
export const partsOf = (lines: ReadonlyArray<string>, limit: number): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let part = ""
  const pieces = lines.flatMap((line) => line.match(new RegExp(`[\\s\\S]{1,${limit}}`, "gu")) ?? [])
  for (const piece of pieces) {
    if (part !== "" && part.length + 1 + piece.length > limit) {
      parts.push(part)
      part = ""
    }
    part = part === "" ? piece : `${part}\n${piece}`
  }
  return part === "" ? parts : [...parts, part]
}

/** A line per turn of a speaker. */
export const linesOf = ({ segments }: Transcript): ReadonlyArray<string> => {
  const lines: Array<{ readonly speaker: string | undefined; text: string }> = []
  for (const { speaker, text } of segments) {
    const last = lines.at(-1)
    if (last !== undefined && last.speaker === speaker && last.text.length < 500) last.text += ` ${text}`
    else lines.push({ speaker, text })
  }
  return lines.map(({ speaker, text }) => (speaker === undefined ? text : `${speaker}: ${text}`))
}

/**
 * What a small model writes when it is stuck, once: a run of words that comes three times in a row ends the text, and a
 * sentence that was written before is left out.
 */
export const unrepeated = (text: string): string => {
  const known = new Set<string>()
  const once = text.replace(/(\b[^\n]{12,200}?)(?:\s*\1){2}[\s\S]*$/u, "$1")
  return once
    .split(/(?<=[.!?])(?=\s)/u)
    .filter((sentence) => {
      const key = sentence.trim().toLowerCase()
      return key === "" || key.length < 8 || (!known.has(key) && known.add(key))
    })
    .join("")
    .trim()
}

const unmarked = (text: string) => text.replaceAll(/[*_#`]+/g, "").trim()
const isNone = (text: string) => /^(none|n\/a|no action items?|-)?\.?$/i.test(text)

const HEADING = /^[*_#\s]*(summary|action items?|keywords?)[*_\s]*:(.*)$/i

/** The text under each heading; what stands before the first one is the summary. */
const sectionsOf = (answer: string) => {
  const sections = { summary: new Array<string>(), actions: new Array<string>(), keywords: new Array<string>() }
  let open: keyof typeof sections = "summary"
  for (const line of answer.split(/\r?\n/)) {
    const [, heading = "", rest = line] = HEADING.exec(line) ?? []
    if (heading !== "") open = /^s/i.test(heading) ? "summary" : /^a/i.test(heading) ? "actions" : "keywords"
    sections[open].push(rest)
  }
  return sections
}

const withoutBullet = (text: string) => unmarked(text.replace(/^\s*(?:[-*•]|\d+[.)])\s*/, ""))

/** Takes apart what the model wrote; one that ignores the form gave a summary and nothing else. */
export const parseSummary = (answer: string): Summary => {
  const { summary, actions, keywords } = sectionsOf(answer)
  return {
    summary: unmarked(summary.join("\n")),
    actionItems: actions
      .map(withoutBullet)
      .filter((each) => !isNone(each))
      .slice(0, 50),
    keywords: keywords
      .flatMap((line) => line.split(/[,;]/))
      .map((each) => withoutBullet(each).replace(/\.$/, ""))
      .filter((each) => !isNone(each))
      .slice(0, 20)
  }
}

interface Said {
  readonly text: string
  readonly model: string
  readonly finish: "stop" | "length"
  readonly promptTokens: number
  readonly completionTokens: number
}

const windowOf = ({ windowTokens }: Engine) => windowTokens ?? WINDOW
const answerOf = (engine: Engine) => Math.min(ANSWER, Math.floor(windowOf(engine) / 12))

const ask = Effect.fnUntraced(function* (engine: Engine, instruction: string, text: string, { model }: ReasonerOptions) {
  const maxTokens = answerOf(engine)
  const wanted: ReadonlyArray<Message> = [
    { role: "system", content: NOTES },
    { role: "user", content: `${instruction}\n\n${text}` }
  ]
  const messages = yield* engine.shape(wanted, { maxTokens, model })
  const parts = yield* Stream.runCollect(engine.reply({ messages, maxTokens, temperature: 0, model, prefix: "" }))
  const done = parts.find((part) => part._tag === "Done")
  const said: Said = {
    text: unrepeated(parts.map((part) => (part._tag === "Token" ? part.text : "")).join("")),
    model: done?._tag === "Done" ? done.model : model,
    finish: done?._tag === "Done" ? done.finish : "length",
    promptTokens: done?._tag === "Done" ? done.usage.promptTokens : 0,
    completionTokens: done?._tag === "Done" ? done.usage.completionTokens : 0
  }
  return said
})

/** Sums up parts until what is left fits one question, then asks for the notes. */
const summarise = Effect.fnUntraced(function* (engine: Engine, transcript: Transcript, options: ReasonerOptions) {
  const limit = (windowOf(engine) - answerOf(engine) - AROUND) * PER_TOKEN
  const all: Array<Said> = []
  let lines = linesOf(transcript)
  for (let parts = partsOf(lines, limit); parts.length > 1; parts = partsOf(lines, limit)) {
    const sums = yield* Effect.forEach(parts, (part) => ask(engine, PART, part, options))
    all.push(...sums)
    const shorter = sums.map(({ text }) => text.trim()).filter((text) => text !== "")
    // A model that does not make it shorter would never end: the beginning of what it wrote has to do.
    const length = (of: ReadonlyArray<string>) => of.reduce((sum, { length }) => sum + length, 0)
    lines = length(shorter) < length(lines) ? shorter : partsOf(shorter, limit).slice(0, 1)
  }
  const notes = yield* ask(engine, WHOLE, lines.join("\n"), options)
  return { notes, all: [...all, notes] }
})

const summaryOf = Effect.fnUntraced(function* (
  event: SessionEvent,
  unit: number,
  config: SessionConfig,
  context: ActorContext
): Effect.fn.Return<ReadonlyArray<EventOf<"reply.ready">>, Failure, Engines | Blobs> {
  const known = yield* context.history(["reply.ready"])
  if (known.some((entry) => entry.event.unit === unit)) return []
  const current = yield* transcriptFrom(yield* context.history(TRANSCRIPT_EVENTS))
  if (current === undefined) return yield* new Terminal({ code: "transcript.missing", message: "The call has no transcript to summarise." })
  if (current.transcript.text.trim() === "") {
    return yield* new Terminal({ code: "transcript.missing", message: "The transcript holds no words to summarise." })
  }
  const engines = yield* Engines
  const engine = engines.pick(config.reasoner.engine)
  const startedAt = performance.now()
  const { notes, all } = yield* summarise(engine, current.transcript, config.reasoner)
  const computeMs = performance.now() - startedAt
  return [
    {
      _tag: "reply.ready",
      v: 1,
      mode: event.mode,
      session: event.session,
      unit,
      text: notes.text.trim(),
      sentences: 0,
      engine: engine.name,
      model: notes.model,
      contextSha256: createHash("sha256").update(current.transcript.text).digest("hex"),
      usage: {
        promptTokens: all.reduce((sum, { promptTokens }) => sum + promptTokens, 0),
        completionTokens: all.reduce((sum, { completionTokens }) => sum + completionTokens, 0)
      },
      firstTokenMs: computeMs,
      computeMs,
      finish: notes.finish,
      generation: 0,
      kind: "summary",
      summary: parseSummary(notes.text)
    }
  ]
})

/** The summary of a finished call, if its configuration wants one, or of one that somebody asks for. */
export const summary = Effect.fnUntraced(function* (event: EventOf<"transcript.completed" | "reply.requested">, context: ActorContext) {
  if (event._tag === "reply.requested") return yield* summaryOf(event, event.unit, event.config, context)
  const opened = (yield* context.history(["session.opened"]))[0]?.event
  if (opened?.config.afterCall.summarize !== true || event.words === 0) return []
  return yield* summaryOf(event, event.version, opened.config, context)
})
