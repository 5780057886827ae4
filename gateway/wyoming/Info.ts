/** What `describe` is answered with, from the settings alone: Home Assistant waits a second for it. */
import type { SessionConfig } from "../../contract/Session.ts"
import { VERSION } from "../Version.ts"
import type { Data } from "./Frames.ts"

/** ISO 639-1 codes of what Whisper's multilingual models were trained on. */
const WHISPER =
  "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha he hi hr ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh".split(
    " "
  )

const artifact = (name: string, description: string) => ({
  name,
  description,
  version: VERSION,
  installed: true,
  attribution: { name: "Voxbus", url: "" }
})

/** `piper-en-us-joe` is English. */
const languageOfVoice = (voice: string): string => /^piper-([a-z]{2})-/.exec(voice)?.[1] ?? "en"

export const info = ({ transcriber, speaker }: SessionConfig): Data => {
  const languages = transcriber.model.endsWith(".en") ? ["en"] : WHISPER
  return {
    asr: [
      {
        ...artifact("voxbus", "Speech to text on this machine"),
        models: [{ ...artifact(transcriber.model, transcriber.model), languages }],
        supports_transcript_streaming: false
      }
    ],
    tts: [
      {
        ...artifact("voxbus", "Text to speech on this machine"),
        voices: [{ ...artifact(speaker.voice, speaker.voice), languages: [languageOfVoice(speaker.voice)], speakers: null }],
        supports_synthesize_streaming: true
      }
    ],
    handle: [
      {
        ...artifact("voxbus", "The assistant of Voxbus"),
        models: [{ ...artifact("voxbus", "The assistant of Voxbus"), languages: WHISPER }],
        supports_handled_streaming: false,
        supports_home_control: false
      }
    ],
    intent: [],
    wake: [],
    mic: [],
    snd: []
  }
}
