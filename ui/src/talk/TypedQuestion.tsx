/** The text box, which is there whatever else works. */
import { type FormEvent, useState } from "react"
import { Button, Input, TextField } from "react-aria-components"
import { useStrings } from "../preferences.tsx"
import type { TalkSession } from "./TalkSession.ts"

export const TypedQuestion = ({ session, enabled }: { readonly session: TalkSession; readonly enabled: boolean }) => {
  const { talk } = useStrings()
  const [text, setText] = useState("")
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const question = text.trim()
    if (question === "" || !enabled) return
    session.ask(question)
    setText("")
  }
  return (
    <form className="typed" onSubmit={submit}>
      <TextField aria-label={talk.type} value={text} onChange={setText} maxLength={20_000}>
        <Input id="question" placeholder={talk.placeholder} autoComplete="off" />
      </TextField>
      <Button type="submit" isDisabled={!enabled}>
        {talk.send}
      </Button>
    </form>
  )
}
