/**
 * One conversation as the page sees it: what was asked and answered, what is going on, and what a person may do. It holds
 * the socket, the microphone and the player; components read `snapshot` and call the methods.
 */
import type { ServerMessage } from "../../../gateway/Protocol.ts"
import { Microphone } from "./microphone.ts"
import { Player } from "./player.ts"
import { Socket } from "./socket.ts"

export type Phase = "CONNECTING" | "IDLE" | "LISTENING" | "TRANSCRIBING" | "THINKING" | "SPEAKING" | "ERROR"

export interface Sentence {
  readonly number: number
  readonly text: string
}

export type Item =
  | { readonly kind: "question"; readonly id: string; readonly text: string }
  | {
      readonly kind: "answer"
      readonly id: string
      readonly turn: number
      readonly sentences: ReadonlyArray<Sentence>
      readonly done: boolean
      readonly stopped: boolean
    }
  | { readonly kind: "note"; readonly id: string; readonly text: string }
  | { readonly kind: "problem"; readonly id: string; readonly message: string; readonly fix: string }

export interface Snapshot {
  readonly phase: Phase
  readonly connected: boolean
  /** The button is held, or was switched on. */
  readonly held: boolean
  readonly recording: boolean
  /** The microphone is always open, and the server finds the questions. */
  readonly handsFree: boolean
  readonly active: number | undefined
  readonly items: ReadonlyArray<Item>
  /** What has been understood of the question so far. */
  readonly partial: string
  /** Loudest sample of the last frame as a person hears it, 0..1 for -60..0 dBFS. */
  readonly level: number
  readonly speaking: { readonly turn: number; readonly sentence: number } | undefined
}

const EMPTY: Snapshot = {
  phase: "CONNECTING",
  connected: false,
  held: false,
  recording: false,
  handsFree: false,
  active: undefined,
  items: [],
  partial: "",
  level: 0,
  speaking: undefined
}

export interface MicrophoneTexts {
  readonly ready: string
  readonly fix: string
  readonly NotAllowedError: string
  readonly NotFoundError: string
  readonly NotReadableError: string
}

/** Loudness is heard in decibels. */
const asHeard = (loudest: number): number => (loudest <= 0 ? 0 : Math.max(0, 1 + Math.log10(loudest) / 3))

export class TalkSession {
  #snapshot = EMPTY
  #session: string | undefined
  /** Newest turn that was stopped: what is still on its way of it is neither shown nor played. */
  #stale = 0
  #unwanted = false
  /** Number of the press that is held; a press that ended while the microphone opened is not recorded. */
  #press = 0
  #count = 0
  #watch: ReturnType<typeof setInterval> | undefined
  readonly #listeners = new Set<() => void>()
  readonly #microphone = new Microphone()
  readonly #player: Player
  readonly #socket: Socket
  #device = localStorage.getItem("microphone") ?? ""
  #speaker = localStorage.getItem("speaker") ?? ""
  texts: MicrophoneTexts

  constructor(texts: MicrophoneTexts) {
    this.texts = texts
    this.#player = new Player((heard) => this.#socket.send({ type: "played", ...heard, interrupted: false }))
    this.#player.chooseSpeaker(this.#speaker)
    this.#socket = new Socket({
      onOpen: () => this.#socket.send({ type: "hello", ...(this.#session === undefined ? {} : { session: this.#session }) }),
      onMessage: (message) => this.#receive(message),
      onAudio: (pcm) => {
        if (!this.#unwanted) this.#player.push(pcm)
      },
      onClose: () => {
        if (this.#snapshot.recording || this.#snapshot.handsFree) void this.#microphone.finish()
        this.#set({ phase: "CONNECTING", connected: false, held: false, recording: false, handsFree: false, active: undefined, level: 0 })
      }
    })
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  snapshot = (): Snapshot => this.#snapshot

  #set(changed: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...changed }
    for (const listener of this.#listeners) listener()
  }

  #add(item: { [K in Item["kind"]]: Omit<Extract<Item, { kind: K }>, "id"> }[Item["kind"]]): void {
    this.#count += 1
    this.#set({ items: [...this.#snapshot.items, { ...item, id: `item-${this.#count}` } as Item] })
  }

  #answer(turn: number, change: (answer: Extract<Item, { kind: "answer" }>) => Partial<Extract<Item, { kind: "answer" }>>): void {
    const known = this.#snapshot.items.some((item) => item.kind === "answer" && item.turn === turn)
    if (!known) this.#add({ kind: "answer", turn, sentences: [], done: false, stopped: false })
    this.#set({
      items: this.#snapshot.items.map((item) => (item.kind === "answer" && item.turn === turn ? { ...item, ...change(item) } : item))
    })
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case "ready": {
        if (message.session !== undefined && message.session !== this.#session) {
          this.#session = message.session
          this.#stale = 0
        }
        return this.#set({ connected: true, ...(this.#snapshot.phase === "CONNECTING" ? { phase: "IDLE" } : {}) })
      }
      case "turn": {
        const { active } = this.#snapshot
        if (message.turn !== undefined && active !== undefined && message.turn < active) return
        return this.#set({ phase: message.state, active: message.state === "IDLE" ? undefined : (message.turn ?? active) })
      }
      case "voice.started":
        return this.#player.hold(true)
      case "voice.dropped":
      case "voice.ended":
        return this.#player.hold(false)
      case "interrupted":
        return this.#interrupted(message.turn)
      case "partial":
        return this.#set({ partial: message.text })
      case "transcript": {
        this.#set({ partial: "" })
        return this.#add({ kind: "question", text: message.text })
      }
      case "rejected": {
        this.#set({ partial: "" })
        return this.#add({ kind: "note", text: message.message })
      }
      case "reply": {
        const { turn, sentence, text } = message
        if (turn <= this.#stale) return
        return this.#answer(turn, ({ sentences }) => ({
          sentences: [...sentences.filter(({ number }) => number !== sentence), { number: sentence, text }].toSorted(
            (a, b) => a.number - b.number
          )
        }))
      }
      case "reply.done": {
        if (message.turn <= this.#stale) return
        return this.#answer(message.turn, ({ sentences }) => ({
          done: true,
          ...(sentences.length === 0 ? { sentences: [{ number: 1, text: message.text }] } : {})
        }))
      }
      case "speech": {
        this.#unwanted = message.turn <= this.#stale
        if (this.#unwanted) return
        this.#watch ??= setInterval(() => this.#follow(), 80)
        return this.#player.begin(message)
      }
      case "speech.done":
        return this.#player.finish(message.turn)
      case "error": {
        if (message.code === "session.unknown") return void (this.#session = undefined)
        return this.#add({ kind: "problem", message: message.message, fix: message.fix })
      }
      default:
        return
    }
  }

  /** Which sentence is heard now. */
  #follow(): void {
    const now = this.#player.now
    const before = this.#snapshot.speaking
    if (now?.turn !== before?.turn || now?.sentence !== before?.sentence) this.#set({ speaking: now })
    if (now === undefined && this.#snapshot.active === undefined) {
      clearInterval(this.#watch)
      this.#watch = undefined
    }
  }

  /** Ends what is being said or thought. */
  interrupt(): void {
    this.#silence()
    const { active } = this.#snapshot
    if (active === undefined) return
    this.#socket.send({ type: "cancel", turn: active })
    this.#leave(active)
  }

  #silence(): void {
    const heard = this.#player.stop()
    if (heard !== undefined) this.#socket.send({ type: "played", ...heard, interrupted: true })
  }

  #leave(turn: number): void {
    this.#stale = Math.max(this.#stale, turn)
    if (this.#snapshot.items.some((item) => item.kind === "answer" && item.turn === turn)) this.#answer(turn, () => ({ stopped: true }))
    this.#set({ active: undefined, speaking: undefined })
  }

  /** The server has ended this turn: somebody spoke, or said stop. */
  #interrupted(turn: number): void {
    if (turn <= this.#stale) return
    this.#silence()
    this.#leave(turn)
  }

  async press(): Promise<void> {
    const { recording, held, handsFree } = this.#snapshot
    if (recording || held || handsFree || !this.#socket.open) return
    this.#press += 1
    const mine = this.#press
    this.interrupt()
    this.#player.unlock()
    this.#set({ held: true, level: 0, partial: "" })
    try {
      const sampleRate = await this.#microphone.open(this.#device)
      // Let go while the browser asked for permission.
      if (mine !== this.#press) return this.#add({ kind: "note", text: this.texts.ready })
      this.#set({ recording: true })
      this.#socket.send({ type: "utterance.start", sampleRate })
      await this.#microphone.record((pcm, loudest) => {
        this.#socket.sendAudio(pcm)
        this.#set({ level: asHeard(loudest) })
      })
    } catch (cause) {
      this.#set({ held: false })
      this.#refused(cause)
    }
  }

  /** Opens the microphone for good, or closes it. */
  async toggleHandsFree(): Promise<void> {
    if (this.#snapshot.held || !this.#socket.open) return
    if (this.#snapshot.handsFree) {
      this.#set({ handsFree: false, level: 0, partial: "" })
      await this.#microphone.finish()
      this.#socket.send({ type: "listen.end" })
      return
    }
    this.#player.unlock()
    this.#set({ handsFree: true, partial: "" })
    try {
      const sampleRate = await this.#microphone.open(this.#device)
      this.#socket.send({ type: "listen", sampleRate, echoCancellation: await this.#microphone.cancelsEcho() })
      await this.#microphone.record((pcm, loudest) => {
        this.#socket.sendAudio(pcm)
        this.#set({ level: asHeard(loudest) })
      })
    } catch (cause) {
      this.#set({ handsFree: false })
      this.#refused(cause)
    }
  }

  #refused(cause: unknown): void {
    const name = cause instanceof Error ? cause.name : ""
    const { texts } = this
    const message =
      name === "NotAllowedError" || name === "NotFoundError" || name === "NotReadableError"
        ? texts[name]
        : cause instanceof Error
          ? cause.message
          : String(cause)
    this.#add({ kind: "problem", message, fix: texts.fix })
  }

  /** @param kept false throws away what was recorded */
  async release(kept: boolean): Promise<void> {
    if (!this.#snapshot.held) return
    this.#press += 1
    this.#set({ held: false, level: 0 })
    if (!this.#snapshot.recording) return
    await this.#microphone.finish()
    this.#set({ recording: false })
    this.#socket.send({ type: kept ? "utterance.end" : "utterance.cancel" })
  }

  stopAll(): void {
    if (this.#snapshot.recording) void this.release(false)
    this.interrupt()
    // Also what this page does not know of.
    this.#socket.send({ type: "stop" })
    this.#set({ phase: this.#socket.open ? "IDLE" : "CONNECTING" })
  }

  /** A typed question. */
  ask(text: string): void {
    this.interrupt()
    this.#player.unlock()
    this.#socket.send({ type: "ask", text })
  }

  get device(): string {
    return this.#device
  }
  get speaker(): string {
    return this.#speaker
  }

  /** @param id of the browser, kept in it; empty: its own choice. Counts from the next press on. */
  chooseMicrophone(id: string): void {
    this.#device = id
    localStorage.setItem("microphone", id)
  }

  chooseSpeaker(id: string): void {
    this.#speaker = id
    localStorage.setItem("speaker", id)
    this.#player.chooseSpeaker(id)
  }

  /** Forgets the conversation here and begins a new one, of which the model knows nothing that was said before. */
  clear(): void {
    this.stopAll()
    this.#session = undefined
    this.#set({ items: [], partial: "", phase: "CONNECTING", connected: false })
    this.#socket.renew()
  }

  close(): void {
    this.#player.stop()
    this.#microphone.close()
    clearInterval(this.#watch)
    this.#socket.close()
  }
}
