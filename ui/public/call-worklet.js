/**
 * Runs on the audio thread: the microphone, and with two channels a tab as well, to interleaved `s16le` of 100 ms.
 * Posts { pcm: ArrayBuffer, peak: loudest sample of each channel, 0..1 }.
 */
const FRAME_SECONDS = 0.1

class Call extends AudioWorkletProcessor {
  constructor({ processorOptions: { channels } }) {
    super()
    this.channels = channels
    this.frame = new Int16Array(Math.round(sampleRate * FRAME_SECONDS) * channels)
    this.filled = 0
    this.peak = new Array(channels).fill(0)
  }

  process([inputs]) {
    if (inputs.length === 0) return true
    for (let n = 0; n < inputs[0].length; n += 1) {
      for (let channel = 0; channel < this.channels; channel += 1) {
        const sample = Math.max(-1, Math.min(1, inputs[channel]?.[n] ?? 0))
        this.peak[channel] = Math.max(this.peak[channel], Math.abs(sample))
        this.frame[this.filled] = sample * 0x7fff
        this.filled += 1
      }
      if (this.filled === this.frame.length) {
        const pcm = this.frame.slice().buffer
        this.port.postMessage({ pcm, peak: this.peak }, [pcm])
        this.filled = 0
        this.peak = new Array(this.channels).fill(0)
      }
    }
    return true
  }
}

registerProcessor("call", Call)
