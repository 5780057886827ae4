/** What was said. The word that is heard is marked; a click on a word plays from there; every segment can be corrected. */
import { memo, useEffect, useMemo, useRef, useState } from "react"
import { Button } from "react-aria-components"
import type { EditTranscript } from "../../../contract/TranscriptCommands.ts"
import { clock } from "../parts/clock.ts"
import { useMedia } from "../parts/useMedia.ts"
import { useStrings } from "../preferences.tsx"
import { SegmentEditor } from "./SegmentEditor.tsx"
import { colourOf, speakersOf } from "./speakers.ts"
import type { SegmentOf, TranscriptPage } from "./useTranscript.ts"
import { piecesOf } from "./words.ts"

const RATE = 16_000

export type Change = (typeof EditTranscript)["request"]["Type"]["edit"]

interface SegmentProps {
  readonly segment: SegmentOf
  readonly hue: number
  readonly onPlay: (seconds: number) => void
  readonly onEdit: (change: Change) => void
}

const Words = ({ text, words }: { readonly text: string; readonly words: NonNullable<SegmentOf["words"]> }) =>
  piecesOf(text, words).map((piece, index) =>
    piece.start === undefined ? (
      piece.text
    ) : (
      <span key={index} className="word" data-start={piece.start} data-end={piece.end}>
        {piece.text}
      </span>
    )
  )

const Segment = memo(({ segment, hue, onPlay, onEdit }: SegmentProps) => {
  const { calls } = useStrings()
  const [editing, setEditing] = useState(false)
  const { number, start, text, speaker, edited, words } = segment
  return (
    <li className="segment" data-number={number} style={{ "--hue": hue } as React.CSSProperties}>
      {editing ? (
        <SegmentEditor segment={segment} onDone={() => setEditing(false)} onEdit={onEdit} />
      ) : (
        <div className="segment-row">
          <Button className="react-aria-Button time" aria-label={calls.playFrom(clock(start))} onPress={() => onPlay(start)}>
            {clock(start)}
          </Button>
          <div className="segment-text">
            {speaker !== undefined && <span className="speaker">{speaker}</span>}
            {text === "" ? <em className="muted">{calls.emptied}</em> : <Words text={text} words={words ?? []} />}
            {edited && <span className="badge">{calls.edited}</span>}
          </div>
          <Button className="react-aria-Button quiet" aria-label={calls.editAt(clock(start))} onPress={() => setEditing(true)}>
            {calls.edit}
          </Button>
        </div>
      )}
    </li>
  )
})

/** Marks the word that is heard, in the document itself: a transcript has thousands of words. */
const useMark = (list: React.RefObject<HTMLOListElement | null>, transcript: TranscriptPage, time: number) => {
  const still = useMedia("(prefers-reduced-motion: reduce)")
  const marked = useRef<{ word?: Element; segment?: Element }>({})
  const index = useMemo(() => transcript.segments.map(({ number, start, end }) => ({ number, start, end })), [transcript])
  useEffect(() => {
    const found = time === 0 ? undefined : index.findLast(({ start }) => start <= time + 0.02)
    const inside = found !== undefined && time <= found.end + 0.3 ? found : undefined
    const segment = inside === undefined ? undefined : (list.current?.querySelector(`[data-number="${inside.number}"]`) ?? undefined)
    const word = [...(segment?.querySelectorAll<HTMLElement>(".word") ?? [])].findLast(
      ({ dataset }) => Number(dataset["start"]) <= time + 0.02
    )
    if (word !== marked.current.word) {
      marked.current.word?.classList.remove("now")
      word?.classList.add("now")
    }
    if (segment !== marked.current.segment) {
      marked.current.segment?.classList.remove("now")
      segment?.classList.add("now")
      segment?.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" })
    }
    marked.current = { ...(word === undefined ? {} : { word }), ...(segment === undefined ? {} : { segment }) }
  }, [time, index, list, still])
}

export const Transcript = ({
  transcript,
  time,
  onPlay,
  onEdit
}: {
  readonly transcript: TranscriptPage
  readonly time: number
  readonly onPlay: (seconds: number) => void
  readonly onEdit: (change: Change) => void
}) => {
  const { calls } = useStrings()
  const list = useRef<HTMLOListElement>(null)
  const edit = useRef(onEdit)
  edit.current = onEdit
  const stable = useRef((change: Change) => edit.current(change))
  useMark(list, transcript, time)
  // One listener for all words; with the keyboard the times at the left do the same.
  useEffect(() => {
    const element = list.current
    const click = ({ target }: MouseEvent) => {
      const word = target instanceof Element ? target.closest<HTMLElement>(".word") : null
      if (word !== null && window.getSelection()?.isCollapsed !== false) onPlay(Number(word.dataset["start"]))
    }
    element?.addEventListener("click", click)
    return () => element?.removeEventListener("click", click)
  }, [onPlay])
  const speakers = useMemo(() => speakersOf(transcript.segments), [transcript])
  const rows = useMemo(
    () =>
      [
        ...transcript.segments.map((segment) => ({ at: segment.start, segment, gap: undefined })),
        ...transcript.coverage.gaps.map((gap) => ({ at: gap.start / RATE, segment: undefined, gap }))
      ].toSorted((a, b) => a.at - b.at),
    [transcript]
  )
  if (rows.length === 0) return <p className="muted">{calls.nothingSaid}</p>
  return (
    <ol className="transcript" ref={list}>
      {rows.map(({ segment, gap }) =>
        gap === undefined ? (
          <Segment
            key={`${transcript.version}-${segment.number}`}
            segment={segment}
            hue={colourOf(speakers, segment.speaker)}
            onPlay={onPlay}
            onEdit={stable.current}
          />
        ) : (
          <li key={`gap-${gap.start}`} className="gap">
            {calls.gapFrom(clock(gap.start / RATE), clock(gap.end / RATE))} <code>{gap.reason}</code>
          </li>
        )
      )}
    </ol>
  )
}
