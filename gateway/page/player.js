/**
 * Plays the sentences of a turn without gaps, from the first binary frame on, and knows what was really heard.
 *
 * Each frame is scheduled to begin on the very sample where the one before ends; the context runs at the voice's own
 * rate, so that no frame is resampled by itself, which would be heard as clicks.
 */
/** Head start of the first frame, seconds: what the browser needs to be in time. */
const LEAD = 0.03

export class Player {
  #context
  #turn
  #pieces = []
  #sentences = new Map()
  #next = 0
  #sentence
  #complete = false
  #onHeard

  /** @param onHeard called with { turn, generation, samples, sentences } when a turn was played to its end */
  constructor(onHeard) {
    this.#onHeard = onHeard
  }

  /** Browsers play sound only after a gesture: call it in one. */
  unlock(sampleRate = 22_050) {
    if (this.#context?.sampleRate !== sampleRate) {
      this.#context?.close()
      this.#context = new AudioContext({ sampleRate, latencyHint: "interactive" })
    }
    if (this.#context.state === "suspended") this.#context.resume()
  }

  get playing() {
    return this.#turn !== undefined
  }

  /** A `speech` message: its frames follow. */
  begin({ turn, generation, sentence, sampleRate, samples }) {
    if (this.#turn?.turn !== turn || this.#turn?.generation !== generation) {
      this.stop()
      this.unlock(sampleRate)
      this.#turn = { turn, generation }
    }
    this.#sentence = sentence
    this.#sentences.set(sentence, samples)
  }

  /** One binary frame of `s16le`. */
  push(bytes) {
    if (this.#turn === undefined) return
    const context = this.#context
    const pcm = new Int16Array(bytes)
    const buffer = context.createBuffer(1, pcm.length, context.sampleRate)
    const channel = buffer.getChannelData(0)
    for (let n = 0; n < pcm.length; n += 1) channel[n] = pcm[n] / 0x8000
    const source = context.createBufferSource()
    source.buffer = buffer
    source.connect(context.destination)
    const start = Math.max(this.#next, context.currentTime + LEAD)
    source.start(start)
    this.#next = start + pcm.length / context.sampleRate
    const piece = { source, start, samples: pcm.length, sentence: this.#sentence, ended: false }
    this.#pieces.push(piece)
    source.onended = () => {
      piece.ended = true
      this.#settle()
    }
  }

  /** No more frames will come for this turn. */
  finish(turn) {
    if (this.#turn?.turn !== turn) return
    this.#complete = true
    this.#settle()
  }

  #settle() {
    if (!this.#complete || this.#pieces.some(({ ended }) => !ended)) return
    const report = this.#report()
    this.#reset()
    this.#onHeard(report)
  }

  /** Silences it at once; returns what was heard until now, or undefined when nothing was playing. */
  stop() {
    if (this.#turn === undefined) return undefined
    const report = this.#report()
    for (const { source } of this.#pieces) {
      source.onended = null
      source.stop()
    }
    this.#reset()
    return report
  }

  #report() {
    const { currentTime, outputLatency = 0, sampleRate } = this.#context
    const heard = new Map()
    for (const { start, samples, sentence, ended } of this.#pieces) {
      const played = ended ? samples : Math.max(0, Math.min(samples, Math.round((currentTime - outputLatency - start) * sampleRate)))
      heard.set(sentence, (heard.get(sentence) ?? 0) + played)
    }
    const samples = [...heard.values()].reduce((sum, each) => sum + each, 0)
    const sentences = [...heard].filter(([sentence, played]) => played >= this.#sentences.get(sentence)).length
    return { ...this.#turn, samples, sentences }
  }

  #reset() {
    this.#turn = undefined
    this.#pieces = []
    this.#sentences = new Map()
    this.#next = 0
    this.#complete = false
  }
}
