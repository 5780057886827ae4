/**
 * The recording that runs, as the page sees it: started and steered over HTTP, followed over a socket of its own, which
 * also carries the audio where it comes from this browser. A page that is loaded anew finds the recording again.
 */
import type { RecordingStatusReply } from "../../../contract/RecordingCommands.ts"
import type { ServerMessage } from "../../../gateway/Protocol.ts"
import { api, Problem } from "../api.ts"
import { Socket } from "../talk/socket.ts"
import { type BrowserAudio, type BrowserSource, openBrowserAudio } from "./browserAudio.ts"
import { Sender } from "./Sender.ts"

export type Source = { readonly kind: "device"; readonly device: string } | { readonly kind: "browser"; readonly audio: BrowserSource }
export type Action = "pause" | "resume" | "stop" | "cancel" | "discard" | "undo"

export interface RecorderView {
  readonly status: RecordingStatusReply | undefined
  /** dBFS of each channel. */
  readonly peak: ReadonlyArray<number>
  readonly problem: { readonly message: string; readonly fix: string } | undefined
  /** The audio of this browser has to be given again: it ended, or the page was loaded anew. */
  readonly wants: BrowserSource | undefined
  readonly busy: boolean
}

const NOTHING: RecorderView = { status: undefined, peak: [], problem: undefined, wants: undefined, busy: false }
const LIVE: ReadonlyArray<string> = ["INITIALIZING", "RECORDING", "PAUSED", "RECOVERING", "STOPPING"]
const ASK_MS = 500
/** Between two tries to reach the gateway again: what is said meanwhile is only in this page. */
const LONGEST_PAUSE_MS = 1_000
/** Where this tab keeps which recording it feeds, over a reload. */
const PLACE = "voxbus.recording"

export const isLive = (status: RecordingStatusReply | undefined): boolean => status !== undefined && LIVE.includes(status.state)

interface Feeding {
  readonly session: string
  readonly audio: BrowserSource
}

const feedingBefore = (): Feeding | undefined => {
  const text = sessionStorage.getItem(PLACE)
  return text === null ? undefined : (JSON.parse(text) as Feeding)
}

export class CallRecorder {
  #view = NOTHING
  #socket: Socket | undefined
  #audio: BrowserAudio | undefined
  #sender: Sender | undefined
  #missed = false
  /** What to send when the socket opens. */
  #hello: (() => void) | undefined
  readonly #timer: ReturnType<typeof setInterval>
  readonly #listeners = new Set<() => void>()

  constructor() {
    const before = feedingBefore()
    if (before !== undefined) {
      this.#missed = true
      void this.#resume(before)
    }
    this.#timer = setInterval(() => void this.refresh(), ASK_MS)
    void this.refresh()
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  view = (): RecorderView => this.#view

  #set(changed: Partial<RecorderView>): void {
    this.#view = { ...this.#view, ...changed }
    for (const listener of this.#listeners) listener()
  }

  #failed(cause: unknown): void {
    const name = cause instanceof Error ? cause.name : ""
    const message = cause instanceof Error ? cause.message : String(cause)
    this.#set({
      problem: {
        message: name === "Error" || name === "" ? message : `${name}: ${message}`,
        fix: cause instanceof Problem ? cause.fix : ""
      }
    })
  }

  async refresh(): Promise<void> {
    const { status } = this.#view
    const over = status !== undefined && !isLive(status) && status.undoUntilMs === undefined
    if (document.hidden && !isLive(status)) return
    try {
      // One that this page knows is followed to its end; else the one that runs, if any.
      const session = status?.session
      const next = await api.get<RecordingStatusReply>("/recording/status", over || session === undefined ? {} : { session })
      if (isLive(next) && next.session !== undefined && this.#socket === undefined) this.#follow(next.session, this.#missed)
      if (next.session !== undefined || status === undefined || over) this.#set({ status: next.session === undefined ? status : next })
      // Nothing runs yet where there is no session: it was only just asked for.
      if (next.session !== undefined && !isLive(next) && this.#audio !== undefined) this.#release()
    } catch (cause) {
      if (cause instanceof Problem && cause.code !== "network" && cause.code !== "session.unknown") this.#failed(cause)
    }
  }

  #connect(hello: () => void): void {
    this.#hello = hello
    if (this.#socket?.open === true) return hello()
    this.#socket ??= new Socket(
      {
        onOpen: () => this.#hello?.(),
        onMessage: (message) => this.#receive(message),
        onAudio: () => undefined,
        onClose: () => this.#sender?.broken()
      },
      { longestPauseMs: LONGEST_PAUSE_MS }
    )
  }

  #follow(session: string, missed: boolean): void {
    this.#connect(() => this.#socket?.send({ type: "record.join", session, ...(missed ? { missed } : {}) }))
  }

  #receive(message: ServerMessage): void {
    if (message.type === "record.level") this.#set({ peak: message.peak })
    if (message.type === "error" && message.code !== "session.unknown") this.#set({ problem: message })
    if (message.type !== "record.ack") return
    const { session, state } = message
    if (this.#audio !== undefined && state !== "ended") {
      const audio = this.#view.wants ?? feedingBefore()?.audio ?? this.#source
      sessionStorage.setItem(PLACE, JSON.stringify({ session, audio } satisfies Feeding))
      // From now on a new connection goes on with this one, with all that was kept.
      this.#missed = false
      this.#hello = () => this.#socket?.send({ type: "record.join", session })
    }
    this.#sender?.acknowledged(message)
    if (state === "ended") this.#release()
  }

  #source: BrowserSource = "microphone"

  readonly #onAudio = (pcm: Int16Array): void => this.#sender?.push(pcm)

  async #open(audio: BrowserSource): Promise<BrowserAudio> {
    this.#source = audio
    const opened = await openBrowserAudio(audio, "", this.#onAudio, () => {
      this.#audio?.close()
      this.#audio = undefined
      if (isLive(this.#view.status)) this.#set({ wants: this.#source })
    })
    this.#audio = opened
    this.#sender = new Sender(opened.channels, (pcm) => this.#socket?.sendAudio(pcm.slice().buffer))
    return opened
  }

  /** The page was loaded anew: a microphone that is allowed is opened by itself, a tab must be chosen by a person. */
  async #resume({ session, audio }: Feeding): Promise<void> {
    if (audio === "tab") return this.#set({ wants: "tab" })
    await this.giveAgain(audio, session)
  }

  /** Goes on with the audio of this browser. */
  async giveAgain(audio: BrowserSource, session = this.#view.status?.session): Promise<void> {
    if (session === undefined) return
    try {
      await this.#open(audio)
      this.#set({ wants: undefined, problem: undefined })
      this.#follow(session, true)
    } catch (cause) {
      this.#set({ wants: audio })
      this.#failed(cause)
    }
  }

  async start(source: Source, title: string, ticket: string): Promise<void> {
    const wanted = { ...(title === "" ? {} : { title }), ...(ticket === "" ? {} : { ticket }) }
    this.#set({ busy: true, problem: undefined, peak: [], wants: undefined })
    try {
      if (source.kind === "device") {
        const status = await api.post<RecordingStatusReply>("/recording/start", { source, ...wanted })
        this.#set({ status })
        if (status.session !== undefined) this.#follow(status.session, false)
      } else {
        const { sampleRate, channels } = await this.#open(source.audio)
        const name = source.audio === "tab" ? "Browser, microphone and tab" : "Browser, microphone"
        // A second try after a lost connection must not be a second recording.
        const idempotencyKey = crypto.randomUUID()
        this.#set({ status: undefined })
        this.#connect(() => this.#socket?.send({ type: "record.start", sampleRate, channels, name, idempotencyKey, ...wanted }))
      }
      await this.refresh()
    } catch (cause) {
      this.#release()
      this.#failed(cause)
    }
    this.#set({ busy: false })
  }

  async act(action: Action): Promise<void> {
    const session = this.#view.status?.session
    if (session === undefined) return
    this.#set({ busy: true, problem: undefined })
    try {
      this.#set({ status: await api.post<RecordingStatusReply>(`/recording/${action}`, { session }) })
    } catch (cause) {
      this.#failed(cause)
    }
    this.#set({ busy: false })
  }

  /** Lets the microphone go; what follows (the transcript) needs no audio. */
  #release(): void {
    this.#audio?.close()
    this.#audio = undefined
    this.#sender = undefined
    this.#missed = false
    sessionStorage.removeItem(PLACE)
    this.#socket?.close()
    this.#socket = undefined
    this.#hello = undefined
    this.#set({ peak: [], wants: undefined })
  }

  /** Puts a finished recording out of sight. */
  forget(): void {
    this.#release()
    this.#set({ ...NOTHING })
  }

  close(): void {
    clearInterval(this.#timer)
    this.#audio?.close()
    this.#socket?.close()
  }
}

/** One for the page: a recording goes on while another part of it is looked at. */
let only: CallRecorder | undefined
export const callRecorder = (): CallRecorder => (only ??= new CallRecorder())
