/**
 * `npm run histories:record`: makes the histories of this version of Voxbus, to be kept for ever. Run it once for each
 * release; the files of older versions are never made again. Calls and conversations, with the test-kit's engines and
 * with the real ones.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Recorder } from "../../actors/capture/index.ts"
import type { AudioCaptured, EventOf } from "../../contract/Events.ts"
import { RetranscribeSession, ShowSession } from "../../contract/HistoryCommands.ts"
import { RetryLetters } from "../../contract/DlqCommands.ts"
import { type Mode, SessionConfig, type SessionId } from "../../contract/Session.ts"
import { eventStream, frameStream, framesSubject, sessionFilters } from "../../contract/Subjects.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Bus } from "../../kernel/Bus.ts"
import { encode } from "../../kernel/Envelope.ts"
import { VERSION } from "../../launcher/commands/version.ts"
import * as Schema from "effect/Schema"
import { type BusOf, busOf, until } from "../support/bus.ts"
import { type Head, writeHistory } from "../support/histories.ts"
import { type Running, startProgram, TESTKIT_ENGINES } from "../support/program.ts"
import { speechFile } from "../support/speech.ts"
import { toneFile, tones } from "../support/tones.ts"

const FOLDER = join(fileURLToPath(new URL(".", import.meta.url)), VERSION)

/** Writes the session as it is now. Audio only where a replay with fixed engines needs it. */
const keep = async (name: string, bus: BusOf, session: SessionId, mode: Mode, fixedEngines: boolean) => {
  const { services } = bus
  const records = await Effect.runPromise(
    Stream.runCollect(Context.get(services, Bus).read(eventStream(mode), { filters: sessionFilters(mode, session) }))
  )
  const shown = await bus.ask(ShowSession, { session })
  const captured = (await bus.events(`audio.captured.${mode}.${session}.>`)).map(({ event }): typeof AudioCaptured.Type => event)
  const frames = new Map<number, Uint8Array>()
  const blobs: Array<Uint8Array> = []
  for (const { audio } of fixedEngines ? captured : []) {
    if ("blob" in audio) blobs.push(await Effect.runPromise(Context.get(services, Blobs).get({ mode, session }, audio.blob)))
    else {
      const range = Context.get(services, Bus).range(frameStream(mode), framesSubject(mode, session), audio.frames.first, audio.frames.last)
      for (const { sequence, data } of await Effect.runPromise(Stream.runCollect(range))) frames.set(sequence, data)
    }
  }
  const head: Head = {
    history: 1,
    voxbus: VERSION,
    mode,
    session,
    fixedEngines,
    expected: {
      state: shown.state,
      text: shown.text,
      ...(shown.version === undefined ? {} : { version: shown.version }),
      ...(shown.context === undefined ? {} : { context: shown.context })
    }
  }
  writeHistory(join(FOLDER, `${name}.jsonl`), { head, records, blobs, frames })
  process.stdout.write(`${name}: ${records.length} events, ${shown.state}\n`)
}

/** A conversation of frames, text, a heard, an interrupted and a cancelled answer, as a page would hold it. */
const converse = async (bus: BusOf, config: SessionConfig): Promise<SessionId> => {
  const recorder = await Effect.runPromise(
    Effect.scoped(Effect.map(Layer.build(Recorder.layer), (built) => Context.get(built, Recorder))).pipe(Effect.provide(bus.services))
  )
  const run = <A, E>(effect: Effect.Effect<A, E, Bus>) => Effect.runPromise(Effect.provide(effect, bus.services))
  const session = await run(recorder.open({ mode: "assistant", title: "history", source: { kind: "browser", name: "test" }, config }))
  const base = { v: 1, mode: "assistant", session: session.session } as const
  const put = (event: EventOf<"speech.heard" | "speech.interrupted" | "turn.cancelled">) =>
    run(
      Effect.gen(function* () {
        const from = { actor: "gateway", cause: "", messageId: `${event._tag}:${session.session}:${event.unit}` }
        yield* (yield* Bus).publish(yield* encode(event, from))
      })
    )
  const answered = (unit: number) =>
    until(async () => {
      const of = (tag: string) =>
        bus.events(`${tag}.assistant.${session.session}.${String(unit).padStart(6, "0")}${tag === "reply.ready" ? "" : ".>"}`)
      const [ready] = await of("reply.ready")
      const speech = await of("speech.synthesized")
      return ready !== undefined && speech.length >= ready.event.sentences ? speech.map(({ event }) => event) : undefined
    })
  const take = await run(recorder.take(session, { sampleRate: 16_000, channels: 1 }))
  const pcm = tones([[0.2, 1.2]])
  for (let at = 0; at < pcm.length; at += 4_000) {
    await run(take.frame(new Uint8Array(pcm.slice(at, at + 4_000).buffer)))
  }
  const { unit } = await run(take.finish)
  const first = await answered(unit)
  const samples = (speech: ReadonlyArray<EventOf<"speech.synthesized">>) => speech.reduce((sum, each) => sum + each.samples, 0)
  await put({ _tag: "speech.heard", ...base, unit, generation: 0, samples: samples(first), sentences: first.length })
  const second = await run(recorder.typed(session, "And what else is there to say about it?"))
  const speech = await answered(second.unit)
  await put({
    _tag: "speech.interrupted",
    ...base,
    unit: second.unit,
    generation: 0,
    samples: Math.floor(samples(speech) / 2),
    sentences: 0
  })
  const third = await run(recorder.typed(session, "Never mind."))
  await answered(third.unit)
  await put({ _tag: "turn.cancelled", ...base, unit: third.unit, generation: 0, reason: "user" })
  const fourth = await run(recorder.typed(session, "One more thing."))
  await answered(fourth.unit)
  await run(recorder.close(session, "stopped"))
  return session.session
}

const withTestkit = async (voxbus: Running, bus: BusOf) => {
  const call = toneFile([
    [0.5, 26],
    [28, 44]
  ])
  const [plain] = (await voxbus.run("transcribe", call, "--ticket", "T-1", "--json")).json
  await keep("call-testkit", bus, plain.session, "call", true)

  await bus.ask(RetranscribeSession, { session: plain.session, language: "de" })
  const second = await until(async () => (await bus.events(`bundle.ready.call.${plain.session}.000002`))[0])
  await keep("call-testkit-versions", bus, plain.session, "call", true)
  copyFileSync(join(second.event.folder, second.event.bundle), join(FOLDER, "call-testkit-versions.vtb"))

  const broken = join(voxbus.home, "broken")
  writeFileSync(broken, "")
  const [gaps] = (await voxbus.run("transcribe", call, "--model", broken, "--json")).json
  rmSync(broken)
  await bus.ask(RetryLetters, { all: true })
  await until(async () => (await bus.events(`bundle.ready.call.${gaps.session}.000002`))[0])
  // A failure is no part of a replay: the engine is whole again.
  await keep("call-testkit-repaired", bus, gaps.session, "call", false)

  const config = Schema.decodeUnknownSync(SessionConfig)({
    transcriber: { engine: "testkit" },
    reasoner: { engine: "testkit" },
    speaker: { engine: "testkit" }
  })
  await keep("conversation-testkit", bus, await converse(bus, config), "assistant", true)
}

const withRealEngines = async (voxbus: Running, bus: BusOf) => {
  const speech = await speechFile(["Hello. The printer on the second floor has stopped working since yesterday."])
  const [call] = (await voxbus.run("transcribe", speech, "--model", "whisper-tiny.en", "--json")).json
  await keep("call", bus, call.session, "call", false)
  copyFileSync(call.bundle, join(FOLDER, "call.vtb"))
  const question = await speechFile(["What is the capital city of France?"])
  const [turn] = (await voxbus.run("ask", question, "--model", "whisper-tiny.en", "--json")).json
  await keep("conversation", bus, turn.session, "assistant", false)
}

const record = async (environment: NodeJS.ProcessEnv, work: (voxbus: Running, bus: BusOf) => Promise<void>) => {
  const voxbus = await startProgram(environment)
  const bus = await busOf(voxbus)
  try {
    await work(voxbus, bus)
  } finally {
    await bus.close()
    await voxbus.stop()
  }
}

mkdirSync(FOLDER, { recursive: true })
await record(TESTKIT_ENGINES, withTestkit)
await record({ VOXBUS_TRANSCRIBER_MODEL: "whisper-tiny.en" }, withRealEngines)
