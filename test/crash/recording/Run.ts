/**
 * R2: two recordings at once, a voice that is pushed in real time and a file that is played at its own speed. Everything
 * (launcher, actors, server) gets SIGKILL at random moments and is started again; nobody does anything else.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { verifyBundle } from "../../../actors/bundler/Verify.ts"
import { quantiles, type Quantiles, round } from "../../../bench/support/Stats.ts"
import { RecordingStart, RecordingStatus, RecordingStop } from "../../../contract/RecordingCommands.ts"
import type { SessionId } from "../../../contract/Session.ts"
import { sessionFilters } from "../../../contract/Subjects.ts"
import { Bus } from "../../../kernel/Bus.ts"
import { call } from "../../../kernel/Commands.ts"
import { logged } from "../../../kernel/Envelope.ts"
import { Terminal } from "../../../kernel/Failure.ts"
import { Frames } from "../../../kernel/Frames.ts"
import { wavBytes } from "../../../kernel/Media.ts"
import { parseWav } from "../../../kernel/media/Wav.ts"
import { makeInstance } from "../Instance.ts"
import { randomFrom } from "../Plan.ts"
import { busOf } from "../Run.ts"
import { compare, lawsOf, type Said, type SavedAudio } from "./Audit.ts"
import { type Life, saidUntil, speak } from "./Microphone.ts"
import { RATE, voice } from "./Voice.ts"

export interface Options {
  readonly seed: number
  readonly kills: number
  readonly say?: (text: string) => void
}

export interface Result {
  readonly kills: number
  /** Audio that was recorded in the end, seconds, of both recordings. */
  readonly seconds: number
  /** What one kill cost of the voice, milliseconds; of the file nothing may be missing. */
  readonly lostMs: Quantiles & { readonly max: number }
  readonly lostOfFileMs: number
  /** From the kill until the voice is recorded again, start of the program included. */
  readonly recoveryMs: Quantiles
  readonly bundles: number
}

export interface Report {
  readonly result: Result
  readonly faults: ReadonlyArray<string>
  /** Kept when there were faults; empty otherwise. */
  readonly folder: string
}

/** Seconds of the file for each kill: it is still playing at the last one. */
const FILE_SECONDS = 2
const MOST_LOST_MS = 250
const soon = Schedule.spaced("100 millis")

const spansOf = Effect.fnUntraced(function* (session: SessionId) {
  const frames = yield* Stream.runCollect((yield* Frames).saved({ mode: "call", session }))
  return [
    ...Map.groupBy(
      frames.filter(({ end }) => end === undefined),
      ({ span }) => span
    )
  ].map(([span, of]): SavedAudio => {
    const bytes = Buffer.concat(of.map(({ data }) => data))
    return { span, start: of[0]?.start ?? 0, pcm: new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)) }
  })
})

const sessionLog = Effect.fnUntraced(function* (session: SessionId) {
  const records = yield* Stream.runCollect((yield* Bus).read("CALLS", { filters: sessionFilters("call", session) }))
  return yield* Effect.forEach(records, logged)
})

/** Waits for the bundle of a session. */
const finished = (session: SessionId) =>
  call(RecordingStatus, { session }).pipe(
    Effect.orElseSucceed(() => ({ state: "RECOVERING" as const })),
    Effect.repeat({ until: ({ state }) => state === "COMPLETED" || state === "ERROR", schedule: soon }),
    Effect.timeoutOrElse({
      duration: "60 seconds",
      orElse: () => Effect.fail(new Terminal({ code: "instance.failed", message: `${session} did not come to an end` }))
    })
  )

/** Laws of one session, from the log to the samples in its output folder. */
const auditSession = Effect.fnUntraced(function* (session: SessionId, kills: number) {
  const log = yield* sessionLog(session)
  const spans = yield* spansOf(session)
  const faults = [...lawsOf(log, spans, kills)]
  const ready = log.map(({ event }) => event).find((event) => event._tag === "bundle.ready")
  if (ready?._tag !== "bundle.ready") return { spans, faults }
  const verdict = yield* verifyBundle(join(ready.folder, ready.bundle))
  if (!verdict.ok) faults.push("the bundle does not verify")
  const wav = readFileSync(join(ready.folder, "audio_16k.wav"))
  const at = parseWav(wav)?.dataOffset ?? 0
  if (!wav.subarray(at).equals(Buffer.concat(spans.map(({ pcm }) => Buffer.from(pcm.buffer)))))
    faults.push("audio_16k.wav is not what was recorded")
  return { spans, faults }
})

const ms = (samples: number) => round((samples * 1000) / RATE)

export const runRecordingCrash = Effect.fnUntraced(function* ({ seed, kills, say = () => undefined }: Options) {
  const folder = mkdtempSync(join(tmpdir(), "voxbus-crash-recording-"))
  const instance = makeInstance(folder)
  const random = randomFrom(seed)
  const path = join(folder, "played.wav")
  const played = voice(0, RATE * (3 + FILE_SECONDS * kills))
  writeFileSync(path, wavBytes(played, RATE, 1))

  const work = Effect.gen(function* () {
    const file = yield* call(RecordingStart, { source: { kind: "file", path }, title: "File" })
    const pushed = yield* call(RecordingStart, {
      source: { kind: "stream", name: "voice", sampleRate: RATE, channels: 1 },
      title: "Voice"
    })
    const [fileSession, session] = [file.session ?? "", pushed.session ?? ""]
    const lives: Array<Said> = []
    const recoveries: Array<number> = []
    let from = 0
    let killedAt: number | undefined
    /** Speaks until `until`, which says when the life ended. */
    const live = <E>(until: (life: Life) => Effect.Effect<number, E, Bus>) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const life = yield* speak(session, from).pipe(Effect.provideService(Scope.Scope, scope))
        if (killedAt !== undefined) recoveries.push(life.began - killedAt)
        const samples = yield* until(life)
        yield* Scope.close(scope, Exit.void)
        lives.push({ from, samples })
        from += samples
      })
    for (let kill = 1; kill <= kills; kill += 1) {
      yield* live(
        Effect.fnUntraced(function* (life) {
          const kill = yield* instance.killer
          yield* Effect.sleep(500 + random() * 1_500)
          killedAt = yield* kill
          return saidUntil(life, killedAt ?? life.began)
        })
      )
      say(`${kill} of ${kills} kills`)
      yield* instance.start
    }
    // The last one is ended by a person, so all that was taken must be there.
    yield* live((life) => Effect.sleep("1 second").pipe(Effect.andThen(life.finish), Effect.map(life.taken)))
    yield* call(RecordingStop, { session })
    yield* finished(session)
    yield* finished(fileSession)

    const ofVoice = yield* auditSession(session, kills)
    const ofFile = yield* auditSession(fileSession, kills)
    const compared = compare(lives, ofVoice.spans, voice)
    const whole = Int16Array.from(ofFile.spans.flatMap(({ pcm }) => [...pcm]))
    const same = whole.every((sample, index) => sample === played[index])
    const lost = compared.lost.slice(0, kills).map(ms)
    const atTheEnd = compared.lost.at(-1) ?? 0
    const result: Result = {
      kills,
      seconds: round([...ofVoice.spans, ...ofFile.spans].reduce((sum, { pcm }) => sum + pcm.length, 0) / RATE),
      lostMs: { ...quantiles(lost), max: Math.max(0, ...lost) },
      lostOfFileMs: ms(played.length - whole.length),
      recoveryMs: quantiles(recoveries),
      bundles: 2
    }
    const faults = [
      ...ofVoice.faults.map((fault) => `voice: ${fault}`),
      ...ofFile.faults.map((fault) => `file: ${fault}`),
      ...compared.strange,
      ...(same ? [] : ["file: another sound was recorded"]),
      ...(result.lostOfFileMs === 0 ? [] : [`file: ${result.lostOfFileMs} ms are missing`]),
      ...(atTheEnd === 0 ? [] : [`voice: ${atTheEnd} samples lost at the end, where nothing was killed`]),
      ...lost.flatMap((each, index) => (each <= MOST_LOST_MS ? [] : [`kill ${index + 1} cost ${each} ms`]))
    ]
    return { result, faults }
  })

  const { result, faults } = yield* instance.start.pipe(
    Effect.andThen(work.pipe(Effect.provide(busOf(instance.home)))),
    Effect.ensuring(instance.stop)
  )
  if (faults.length === 0) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  const report: Report = { result, faults, folder: faults.length === 0 ? "" : folder }
  return report
})
