/**
 * The language of a question, as the transcriber heard it, steers the answer: the prompt asks for it, the voice goes by it.
 * English changes nothing, so that the prompt which is read ahead stays what it is; nor does a guess.
 */
import type { EventOf } from "../../contract/Events.ts"

/** Whisper takes very short questions for anything. */
const SURE = 0.6

/** ISO 639-1 code; `undefined` for English, for a guess, and for a typed question, whose language only the model sees. */
export const languageOf = ({
  language,
  languageProbability,
  engine
}: Pick<EventOf<"text.transcribed">, "language" | "languageProbability" | "engine">): string | undefined =>
  engine === "typed" || languageProbability < SURE || !/^[a-z]{2,3}$/.test(language) || language === "en" ? undefined : language

const names = new Intl.DisplayNames(["en"], { type: "language" })

/** The prompt for an answer in this language. */
export const promptIn = (systemPrompt: string, language: string | undefined): string =>
  language === undefined ? systemPrompt : `${systemPrompt} Answer in ${names.of(language) ?? language}.`.trim()
