/**
 * Runs on the audio thread: microphone samples to `s16le` frames of 40 ms, posted to the page while it records.
 * Posts { pcm: ArrayBuffer, level: 0..1 }, and { end: true } after the last frame of a recording.
 */
const FRAME_SECONDS = 0.04

class Capture extends AudioWorkletProcessor {
  frame = new Int16Array(Math.round(sampleRate * FRAME_SECONDS))
  filled = 0
  loudest = 0
  recording = false

  constructor() {
    super()
    this.port.onmessage = ({ data }) => {
      if (data === "start") {
        this.filled = 0
        this.loudest = 0
        this.recording = true
      } else if (this.recording) {
        this.recording = false
        this.post()
        this.port.postMessage({ end: true })
      }
    }
  }

  post() {
    if (this.filled === 0) return
    const pcm = this.frame.slice(0, this.filled).buffer
    this.port.postMessage({ pcm, level: this.loudest }, [pcm])
    this.filled = 0
    this.loudest = 0
  }

  process([channels]) {
    if (!this.recording || channels.length === 0) return true
    for (let n = 0; n < channels[0].length; n += 1) {
      let sum = 0
      for (const channel of channels) sum += channel[n]
      const sample = Math.max(-1, Math.min(1, sum / channels.length))
      this.loudest = Math.max(this.loudest, Math.abs(sample))
      this.frame[this.filled] = sample * 0x7fff
      this.filled += 1
      if (this.filled === this.frame.length) this.post()
    }
    return true
  }
}

registerProcessor("capture", Capture)
