/**
 * Plays the sentences of a turn without gaps, from the first binary frame on, and knows what was really heard.
 *
 * Each frame is scheduled to begin on the very sample where the one before ends; the context runs at the voice's own
 * rate, so that no frame is resampled by itself, which would be heard as clicks.
 */
/** The loudspeaker of sound that is made here can be chosen in some browsers only. */
interface Sinkable {
  readonly setSinkId: (id: string) => Promise<void>
}
const hasSink = (context: object): context is Sinkable => "setSinkId" in context
export const canChooseSpeaker = typeof AudioContext !== "undefined" && hasSink(AudioContext.prototype)

/** Head start of the first frame, seconds: what the browser needs to be in time. */
const LEAD = 0.03

export interface Speech {
  readonly turn: number
  readonly generation: number
  readonly sentence: number
  readonly sampleRate: number
  readonly samples: number
}

/** What was heard of a turn; `sentences` were heard to their end. */
export interface Heard {
  readonly turn: number
  readonly generation: number
  readonly samples: number
  readonly sentences: number
}

interface Piece {
  readonly source: AudioBufferSourceNode
  /** Seconds on the clock of the context. */
  readonly start: number
  readonly samples: number
  readonly sentence: number
  ended: boolean
}

export class Player {
  #context: AudioContext | undefined
  #speaker = ""
  #turn: { readonly turn: number; readonly generation: number } | undefined
  #pieces: Array<Piece> = []
  #sentences = new Map<number, number>()
  #next = 0
  #sentence = 0
  #complete = false
  readonly #onHeard: (heard: Heard) => void

  /** @param onHeard called when a turn was played to its end */
  constructor(onHeard: (heard: Heard) => void) {
    this.#onHeard = onHeard
  }

  /** @param id of the browser; empty: its own choice, which is also what a loudspeaker that is gone falls back to */
  chooseSpeaker(id: string): void {
    this.#speaker = id
    if (this.#context !== undefined && hasSink(this.#context)) this.#context.setSinkId(id).catch(() => undefined)
  }

  /** Browsers play sound only after a gesture: call it in one. */
  unlock(sampleRate = 22_050): AudioContext {
    if (this.#context?.sampleRate !== sampleRate) {
      void this.#context?.close()
      this.#context = new AudioContext({ sampleRate, latencyHint: "interactive" })
      if (this.#speaker !== "") this.chooseSpeaker(this.#speaker)
    }
    if (this.#context.state === "suspended") void this.#context.resume()
    return this.#context
  }

  /** The turn and the sentence that is heard now, if any. */
  get now(): { readonly turn: number; readonly sentence: number } | undefined {
    const context = this.#context
    if (this.#turn === undefined || context === undefined) return undefined
    const time = context.currentTime - (context.outputLatency || 0)
    const piece = this.#pieces.find(({ start, samples }) => time >= start && time < start + samples / context.sampleRate)
    return piece === undefined ? undefined : { turn: this.#turn.turn, sentence: piece.sentence }
  }

  /** A `speech` message: its frames follow. */
  begin({ turn, generation, sentence, sampleRate, samples }: Speech): void {
    if (this.#turn?.turn !== turn || this.#turn.generation !== generation) {
      this.stop()
      this.unlock(sampleRate)
      this.#turn = { turn, generation }
    }
    this.#sentence = sentence
    this.#sentences.set(sentence, samples)
  }

  /** One binary frame of `s16le`. */
  push(bytes: ArrayBuffer): void {
    const context = this.#context
    if (this.#turn === undefined || context === undefined) return
    const pcm = new Int16Array(bytes)
    const buffer = context.createBuffer(1, pcm.length, context.sampleRate)
    buffer.copyToChannel(
      Float32Array.from(pcm, (sample) => sample / 0x8000),
      0
    )
    const source = context.createBufferSource()
    source.buffer = buffer
    source.connect(context.destination)
    const start = Math.max(this.#next, context.currentTime + LEAD)
    source.start(start)
    this.#next = start + pcm.length / context.sampleRate
    const piece: Piece = { source, start, samples: pcm.length, sentence: this.#sentence, ended: false }
    this.#pieces.push(piece)
    source.addEventListener("ended", () => {
      piece.ended = true
      this.#settle()
    })
  }

  /** No more frames will come for this turn. */
  finish(turn: number): void {
    if (this.#turn?.turn !== turn) return
    this.#complete = true
    this.#settle()
  }

  #settle(): void {
    if (this.#turn === undefined || !this.#complete || this.#pieces.some(({ ended }) => !ended)) return
    const report = this.#report(this.#turn)
    this.#reset()
    this.#onHeard(report)
  }

  /** Holds it where it is, or goes on from there. */
  hold(held: boolean): void {
    if (this.#context !== undefined) void (held ? this.#context.suspend() : this.#context.resume())
  }

  /** Silences it at once; returns what was heard until now, or undefined when nothing was playing. */
  stop(): Heard | undefined {
    if (this.#turn === undefined) return undefined
    const report = this.#report(this.#turn)
    const pieces = this.#pieces
    this.#reset()
    for (const { source } of pieces) source.stop()
    this.hold(false)
    return report
  }

  #report(turn: { readonly turn: number; readonly generation: number }): Heard {
    const context = this.#context
    const heard = new Map<number, number>()
    for (const { start, samples, sentence, ended } of this.#pieces) {
      const time = context === undefined ? 0 : context.currentTime - (context.outputLatency || 0) - start
      const played = ended ? samples : Math.max(0, Math.min(samples, Math.round(time * (context?.sampleRate ?? 0))))
      heard.set(sentence, (heard.get(sentence) ?? 0) + played)
    }
    const samples = [...heard.values()].reduce((sum, each) => sum + each, 0)
    const sentences = [...heard].filter(([sentence, played]) => played >= (this.#sentences.get(sentence) ?? 0)).length
    return { ...turn, samples, sentences }
  }

  #reset(): void {
    this.#turn = undefined
    this.#pieces = []
    this.#sentences = new Map()
    this.#next = 0
    this.#complete = false
  }
}
