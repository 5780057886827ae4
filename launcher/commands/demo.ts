/** `voxbus demo`: one call and one assistant turn from speech it makes itself, shown stage by stage. */
import * as Command from "effect/cli/Command"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import { speakerLayer } from "../../actors/speaker/index.ts"
import { verifyBundle } from "../../actors/bundler/Verify.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Bus } from "../../kernel/Bus.ts"
import { Settings } from "../../kernel/Settings.ts"
import { wordErrorRate } from "../../kernel/testkit/WordErrors.ts"
import { callJson, runCall } from "../Call.ts"
import { CALL_TEXT, EXPECTED_ANSWER, QUESTION, writeDemoSpeech } from "../DemoSpeech.ts"
import { downFailure, startHost } from "../Host.ts"
import { jsonFlag, note, printJson, printLine } from "../Output.ts"
import { NAMES } from "../Registry.ts"
import { runTurn } from "../Turn.ts"
import { latencyTable, turnJson, writeAnswer } from "./ask.ts"

/** More words wrong than this and the demo says that it failed. */
const TOLERATED = 0.05

/** A line per event: what flowed, who sent it, how long after the first. */
const eventLine = (first: number, { event, actor, time }: Logged) =>
  `  ${`+${Math.round(time - first)} ms`.padStart(10)}  ${event._tag.padEnd(22)} ${actor}`

export const demo = Command.make(
  "demo",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const settings = yield* Settings
    const say = (text: string) => (json ? note(text) : printLine(text))
    yield* say("Starting the bus and the six actors ...")
    const host = yield* startHost({ kind: "command", actors: NAMES })
    if (host.down.length > 0) return yield* Effect.fail(downFailure(host.down))
    yield* say("Speaking the demo's own call and question with the local voice ...")
    const voice = yield* Layer.build(speakerLayer).pipe(Effect.provide(host.services))
    const { call, question } = yield* writeDemoSpeech(join(settings.home, "demo")).pipe(Effect.provide(Context.merge(host.services, voice)))

    const show = () => {
      let first = 0
      return (entry: Logged) => {
        first ||= entry.time
        return say(eventLine(first, entry))
      }
    }
    const reachable = Context.make(Bus, Context.get(host.services, Bus)).pipe(Context.add(Blobs, Context.get(host.services, Blobs)))
    yield* say(`\n1. A call: ${call}\n`)
    const callResult = yield* runCall({ path: call, title: "Demo call", config: settings.session }, show()).pipe(Effect.provide(reachable))
    const result = callJson(callResult)
    const verified = yield* verifyBundle(result.bundle)
    const errors = wordErrorRate(CALL_TEXT, result.text)
    yield* say(
      `\n  transcript: ${result.text}\n\n  words wrong: ${(100 * errors).toFixed(1)} %   bundle: ${verified.ok ? "intact" : "NOT intact"}\n  files in ${result.folder}:`
    )
    for (const file of result.files) yield* say(`    ${file.name}  ${file.bytes} bytes`)

    yield* say(`\n2. A question: ${question}\n`)
    const turn = yield* runTurn({ path: question, config: settings.session }, show()).pipe(Effect.provide(reachable))
    const audio = yield* writeAnswer(join(settings.home, "demo", "answer.wav"), turn)
    yield* say(
      `\n  you:    ${turn.transcript}\n  reply:  ${turn.reply}\n  audio:  ${audio}\n\n  from the end of speech, out of the event log:\n${latencyTable(turn.latencyMs)}`
    )

    const heard = wordErrorRate(QUESTION, turn.transcript)
    const ok = errors <= TOLERATED && verified.ok && heard <= TOLERATED && EXPECTED_ANSWER.test(turn.reply) && audio !== ""
    if (!ok) process.exitCode = 1
    if (json)
      return yield* printJson({
        ok,
        call: { ...result, wordErrorRate: errors, verified: verified.ok },
        turn: turnJson(turn, audio),
        latencyMs: turn.latencyMs
      })
    yield* printLine(
      ok
        ? "\nBoth are right. `npx voxbus start` runs it for you."
        : "\nSomething above is not what was said. `npx voxbus doctor` may say why."
    )
  }, Effect.scoped)
).pipe(Command.withDescription("Run one call and one assistant turn from generated speech"))
