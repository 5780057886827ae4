/** A typed question, as the event that a transcriber would have made of it had it been spoken. */
import type { EventOf } from "../contract/Events.ts"
import type { Mode, SessionConfig, SessionId } from "../contract/Session.ts"

export const typedText = (
  { mode, session, config }: { readonly mode: Mode; readonly session: SessionId; readonly config: SessionConfig },
  unit: number,
  text: string
): EventOf<"text.transcribed"> => ({
  _tag: "text.transcribed",
  v: 1,
  mode,
  session,
  unit,
  start: 0,
  end: 0,
  text,
  segments: [],
  language: config.transcriber.language,
  languageProbability: 1,
  confidence: 1,
  engine: "typed",
  model: "",
  modelSha256: "",
  computeMs: 0,
  threads: 0,
  config
})
