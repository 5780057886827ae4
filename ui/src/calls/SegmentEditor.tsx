/** Corrects a segment: its text, and who said it. Enter saves, Escape leaves it as it was. */
import { useState } from "react"
import { Button, Checkbox, Input, Label, TextArea, TextField } from "react-aria-components"
import { useStrings } from "../preferences.tsx"
import type { Change } from "./Transcript.tsx"
import type { SegmentOf } from "./useTranscript.ts"

export const SegmentEditor = ({
  segment,
  onDone,
  onEdit
}: {
  readonly segment: SegmentOf
  readonly onDone: () => void
  readonly onEdit: (change: Change) => void
}) => {
  const { calls, common } = useStrings()
  const [text, setText] = useState(segment.text)
  const [speaker, setSpeaker] = useState(segment.speaker ?? "")
  const [everywhere, setEverywhere] = useState(segment.speaker !== undefined)
  const before = segment.speaker ?? ""
  const save = () => {
    if (text !== segment.text) onEdit({ segment: segment.number, text })
    else if (speaker !== before)
      onEdit(everywhere && before !== "" && speaker !== "" ? { rename: before, to: speaker } : { segment: segment.number, speaker })
    onDone()
  }
  return (
    <form
      className="segment-editor"
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onDone()
        if (event.key === "Enter" && !event.shiftKey && event.target instanceof HTMLTextAreaElement) {
          event.preventDefault()
          save()
        }
      }}
    >
      <TextField value={text} onChange={setText} autoFocus maxLength={5_000}>
        <Label>{calls.text}</Label>
        <TextArea rows={3} />
      </TextField>
      <TextField value={speaker} onChange={setSpeaker} maxLength={100}>
        <Label>{calls.speaker}</Label>
        <Input />
      </TextField>
      {before !== "" && (
        <Checkbox isSelected={everywhere} onChange={setEverywhere}>
          <span className="box" aria-hidden="true" /> {calls.everywhere(before)}
        </Checkbox>
      )}
      <div className="row">
        <Button type="submit" className="react-aria-Button primary">
          {common.save}
        </Button>
        <Button onPress={onDone}>{common.cancel}</Button>
      </div>
    </form>
  )
}
