/**
 * The demo's own speech: a short call between two people and one question, spoken by the local voice. The second
 * person is the same voice at another pitch, as one voice is all that is installed.
 */
import * as Effect from "effect/Effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { shiftPitch, synthesize } from "../actors/speaker/index.ts"
import { wavBytes } from "../kernel/media/Wav.ts"

const CALLER = 1
const AGENT = 0.86
/** Silence between two people, seconds. */
const PAUSE = 0.45

const CALL: ReadonlyArray<readonly [speaker: number, text: string]> = [
  [AGENT, "Good morning, this is the service desk. How can I help you?"],
  [CALLER, "Hello. The printer on the second floor has stopped working since yesterday."],
  [AGENT, "I am sorry to hear that. Does it show an error message on the display?"],
  [CALLER, "Yes, it says that the paper tray is empty, but we filled it this morning."],
  [AGENT, "Thank you. I will send a technician to your office before noon."],
  [CALLER, "That would be great. Thank you very much for your help."]
]

export const QUESTION = "What is the capital city of France?"
export const EXPECTED_ANSWER = /\bparis\b/i
export const CALL_TEXT: string = CALL.map(([, text]) => text).join(" ")

const speak = Effect.fnUntraced(function* (lines: ReadonlyArray<readonly [number, string]>) {
  const samples: Array<number> = []
  let sampleRate = 0
  for (const [pitch, text] of lines) {
    const speech = yield* synthesize(text, "piper-en-us-joe", 1 / pitch)
    sampleRate = speech.sampleRate
    for (const sample of pitch === 1 ? speech.pcm : shiftPitch(speech.pcm, pitch)) samples.push(sample)
    for (let n = PAUSE * sampleRate; n > 0; n -= 1) samples.push(0)
  }
  return wavBytes(Int16Array.from(samples), sampleRate, 1)
})

/** Writes `call.wav` and `question.wav`; returns their paths. */
export const writeDemoSpeech = Effect.fnUntraced(function* (folder: string) {
  mkdirSync(folder, { recursive: true })
  const [call, question] = [join(folder, "call.wav"), join(folder, "question.wav")]
  writeFileSync(call, yield* speak(CALL))
  writeFileSync(question, yield* speak([[1, QUESTION]]))
  return { call, question }
})
