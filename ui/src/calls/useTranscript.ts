/** The transcript of a call with its words, all pages of it, and whether there is something to undo. */
import type { EditHistory, GetTranscript } from "../../../contract/TranscriptCommands.ts"
import { api } from "../api.ts"
import { useReloadOn } from "../events.ts"
import { useAsked } from "../useApi.ts"

export type TranscriptPage = (typeof GetTranscript)["reply"]["Type"]
export type SegmentOf = TranscriptPage["segments"][number]
type Edits = (typeof EditHistory)["reply"]["Type"]["edits"]

/** With their words so many fit into an answer. */
const PAGE = 300

const whole = async (session: string, signal: AbortSignal): Promise<TranscriptPage> => {
  const ask = (from: number) => api.get<TranscriptPage>("/transcripts/get", { session, from, limit: PAGE, words: true }, signal)
  const first = await ask(1)
  const segments = [...first.segments]
  while (segments.length < first.total) {
    const next = await ask(segments.length + 1)
    if (next.segments.length === 0) break
    segments.push(...next.segments)
  }
  return { ...first, segments }
}

/** What is undone can be done again until the next edit. */
const stacks = (edits: Edits) => {
  const content = edits.filter(({ change }) => change.kind !== "undo" && change.kind !== "redo")
  const newest = content.at(-1)
  return { canUndo: content.some(({ stands }) => stands), canRedo: newest !== undefined && !newest.stands }
}

export const useTranscript = (session: string) => {
  const { data, problem, reload } = useAsked(session, async (of, signal) => {
    const transcript = await whole(of, signal)
    return { transcript, edits: (await api.get<{ readonly edits: Edits }>("/transcripts/history", { session: of }, signal)).edits }
  })
  useReloadOn(`transcript.*.call.${session},transcript.*.call.${session}.>`, reload)
  return { data: data?.transcript, problem, reload, ...stacks(data?.edits ?? []) }
}
