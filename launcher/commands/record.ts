/** `voxbus record`: starts, steers and watches the recording of a call on the running instance. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import { resolve } from "node:path"
import * as Contract from "../../contract/RecordingCommands.ts"
import type { LiveSource } from "../../contract/RecordingEvents.ts"
import type { SessionId } from "../../contract/Session.ts"
import { Bus } from "../../kernel/Bus.ts"
import { call } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { reach } from "../Access.ts"
import { findInstance } from "../Instance.ts"
import { clearStatus, clock, jsonFlag, note, printJson, printLine, status } from "../Output.ts"
import { pump } from "../RecordInput.ts"
import { bar, HELP, isLive, type Key, loudness, pressed } from "../RecordKeys.ts"

const ACTIONS = {
  pause: Contract.RecordingPause,
  resume: Contract.RecordingResume,
  stop: Contract.RecordingStop,
  cancel: Contract.RecordingCancel,
  discard: Contract.RecordingDiscard,
  undo: Contract.RecordingUndo,
  status: Contract.RecordingStatus
} as const

const isAction = (name: string): name is keyof typeof ACTIONS => name in ACTIONS

const human = (state: Contract.RecordingStatusReply) =>
  `${state.state}  ${clock(state.recordedSeconds)}  ${state.title}${state.settledChunks === 0 ? "" : `  ${state.settledChunks} of ${state.chunks} parts transcribed`}${state.problem === undefined ? "" : `\n  ${state.problem}`}`

type Status = Contract.RecordingStatusReply

/** What a key asks for in this state; nothing when it means nothing there. */
const commandOf = (key: Exclude<Key, "leave">, { state }: Status) =>
  key === "pause" ? (state === "PAUSED" ? ACTIONS.resume : ACTIONS.pause) : ACTIONS[key]

/** Shows a recording until it is over, or the user leaves it alone. */
const watch = Effect.fnUntraced(function* (session: SessionId, keys: Queue.Queue<Key>) {
  const peak = yield* loudness(session)
  const ask = call(Contract.RecordingStatus, { session })
  let state = yield* ask
  for (;;) {
    if (!isLive(state)) return state
    const undo = state.undoUntilMs === undefined ? "" : "  discarded; u takes it back"
    yield* status(`${state.state === "RECORDING" ? `${bar(peak())}  ` : ""}${human(state)}${undo}`)
    const key = yield* Queue.take(keys).pipe(Effect.timeoutOption("500 millis"))
    if (key._tag === "Some") {
      if (key.value === "leave") return state
      yield* call(commandOf(key.value, state), { session }).pipe(
        Effect.catch((failure) => Effect.andThen(clearStatus, note(failure.message)))
      )
    }
    state = yield* ask
  }
})

interface SourceFlags {
  readonly stdin: boolean
  readonly rate: number
  readonly channels: number
  readonly file: Option.Option<string>
  readonly device: Option.Option<string>
}

const sourceOf = Effect.fnUntraced(function* ({
  stdin,
  rate,
  channels,
  file,
  device
}: SourceFlags): Effect.fn.Return<LiveSource, Terminal> {
  if (!stdin)
    return Option.isSome(file)
      ? { kind: "file", path: resolve(file.value) }
      : { kind: "device", device: Option.getOrElse(device, () => "default") }
  if (process.stdin.isTTY)
    return yield* new Terminal({
      code: "command.usage",
      message: "--stdin wants audio from another program, such as `arecord ... | voxbus record --stdin`."
    })
  return { kind: "stream", name: "standard input", sampleRate: rate, channels }
})

export const record = Command.make(
  "record",
  {
    action: Flag.String("do").pipe(
      Flag.withDescription("pause, resume, stop, cancel, discard, undo or status, instead of starting"),
      Flag.optional
    ),
    session: Flag.String("session").pipe(Flag.withDescription("Of which recording; the one that runs by default"), Flag.optional),
    device: Flag.String("device").pipe(Flag.withDescription("Id from `voxbus devices`; the default device when absent"), Flag.optional),
    file: Flag.String("file").pipe(Flag.withDescription("An audio file, played at its own speed"), Flag.optional),
    stdin: Flag.Boolean("stdin").pipe(Flag.withDescription("Raw audio (s16le, interleaved) from standard input"), Flag.withDefault(false)),
    rate: Flag.Int("rate").pipe(Flag.withDescription("Hertz of --stdin"), Flag.withDefault(48_000)),
    channels: Flag.Int("channels").pipe(
      Flag.withDescription("Channels of --stdin: 1, or 2 with one side of the call on each"),
      Flag.withDefault(1)
    ),
    title: Flag.String("title").pipe(Flag.withDescription("Title of the call"), Flag.optional),
    ticket: Flag.String("ticket").pipe(Flag.withDescription("Ticket or case id: letters, digits, - and _"), Flag.optional),
    key: Flag.String("idempotency-key").pipe(Flag.withDescription("The same key gives the same session"), Flag.optional),
    json: jsonFlag
  },
  Effect.fn(function* (options) {
    const { home } = yield* Settings
    if (findInstance(home)?.kind !== "start")
      return yield* new Terminal({ code: "bus.unavailable", message: `No Voxbus runs on ${home}. Start one with \`npx voxbus start\`.` })
    const services = yield* reach([])
    const print = (state: Contract.RecordingStatusReply) => (options.json ? printJson(state) : printLine(human(state)))
    const session = Option.isSome(options.session) ? { session: options.session.value } : {}
    yield* Effect.gen(function* () {
      if (Option.isSome(options.action)) {
        const action = options.action.value
        if (!isAction(action)) return yield* new Terminal({ code: "command.usage", message: `--do ${action} is not known; see --help.` })
        return yield* Effect.flatMap(call(ACTIONS[action], session), print)
      }
      const started = yield* call(Contract.RecordingStart, {
        source: yield* sourceOf(options),
        ...(Option.isSome(options.title) ? { title: options.title.value } : {}),
        ...(Option.isSome(options.ticket) ? { ticket: options.ticket.value } : {}),
        ...(Option.isSome(options.key) ? { idempotencyKey: options.key.value } : {})
      })
      yield* print(started)
      if (started.session === undefined) return
      // The recording belongs to the instance: leaving this command does not end it.
      const interactive = !options.json && !options.stdin && process.stdin.isTTY
      const keys = yield* interactive ? pressed(process.stdin) : Queue.unbounded<Key>()
      if (interactive) yield* note(HELP)
      const watching = watch(started.session, keys)
      const last = yield* options.stdin ? Effect.andThen(pump(started.session, options.channels, process.stdin), watching) : watching
      yield* clearStatus
      yield* print(last)
    }).pipe(Effect.provideService(Bus, Context.get(services, Bus)))
  }, Effect.scoped)
).pipe(Command.withDescription("Record a call live, from a device, standard input, or a file played at its own speed"))
