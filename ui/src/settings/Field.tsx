/** One setting: what it means, what it is now, and a way to change it. It is saved when the field is left. */
import { useEffect, useId, useRef, useState } from "react"
import { Button } from "react-aria-components"
import type { ConfigField, SetConfig } from "../../../contract/ConfigCommands.ts"
import { api } from "../api.ts"
import { WithCode } from "../parts/WithCode.tsx"
import { useAction } from "../parts/useAction.ts"
import { useStrings } from "../preferences.tsx"

type Saved = (typeof SetConfig)["reply"]["Type"]

const itemOf = (value: unknown): string => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? ""))
const textOf = (value: unknown): string => (Array.isArray(value) ? value.map(itemOf).join("\n") : itemOf(value))

/** Throws what `explain` makes of text that is not JSON. */
const parsed = (text: string, explain: (text: string, why: string) => string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(explain(text, cause instanceof Error ? cause.message : String(cause)), { cause })
  }
}

/** What was typed as a value of the setting's kind. What does not fit is left as text: the server says what is wrong with it. */
const valueOf = (
  { kind, value: before }: Pick<ConfigField, "kind" | "value">,
  text: string,
  explain: (text: string, why: string) => string
): unknown => {
  if (kind === "list") {
    const items = text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]))
    return items.map((item) => (item.startsWith("{") ? parsed(item, explain) : item))
  }
  if (typeof before === "object" && before !== null) return parsed(text, explain)
  if (kind !== "number" && kind !== "integer") return text
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text)
}

const LONG = 60

const Control = ({
  field,
  id,
  refused,
  save,
  keep
}: {
  readonly field: ConfigField
  readonly id: string
  /** What was typed was not taken; the reason stands below. */
  readonly refused: boolean
  /** @param make throws when what was typed is no value of this kind */
  readonly save: (make: () => unknown) => void
  /** It shall stay as it is. */
  readonly keep: () => void
}) => {
  const { settings } = useStrings()
  const { kind, value, choices, minimum, maximum } = field
  const now = textOf(value)
  const [text, setText] = useState(now)
  const asked = useRef(now)
  useEffect(() => {
    setText(now)
    asked.current = now
  }, [now])
  const leave = () => {
    if (text === asked.current) return
    asked.current = text
    if (text === now) keep()
    else save(() => valueOf(field, text, settings.notJson))
  }
  const common = {
    id,
    "aria-describedby": refused ? `${id}-refused ${id}-means` : `${id}-means`,
    "aria-invalid": refused,
    disabled: field.variable !== undefined
  }
  if (kind === "boolean")
    return (
      <select {...common} value={String(value)} onChange={(event) => save(() => event.target.value === "true")}>
        <option value="true">{settings.on}</option>
        <option value="false">{settings.off}</option>
      </select>
    )
  if (kind === "choice")
    return (
      <select
        {...common}
        value={textOf(value)}
        onChange={(event) => save(() => choices?.find((choice) => textOf(choice) === event.target.value))}
      >
        {(choices ?? []).map((choice) => (
          <option key={textOf(choice)}>{textOf(choice)}</option>
        ))}
      </select>
    )
  if (kind === "list" || text.length > LONG)
    return (
      <textarea
        {...common}
        className="react-aria-TextArea"
        rows={Math.min(6, kind === "list" ? text.split("\n").length + 1 : 3)}
        placeholder={kind === "list" ? settings.onePerLine : ""}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={leave}
      />
    )
  const numeric = kind === "number" || kind === "integer"
  return (
    <input
      {...common}
      className="react-aria-Input"
      type={numeric ? "number" : "text"}
      {...(numeric ? { min: minimum, max: maximum, step: kind === "integer" ? 1 : "any" } : {})}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={leave}
      onKeyDown={(event) => {
        if (event.key === "Enter") leave()
        if (event.key !== "Escape") return
        setText(now)
        asked.current = now
        keep()
      }}
    />
  )
}

export const Field = ({ field, onSaved }: { readonly field: ConfigField; readonly onSaved: () => void }) => {
  const { settings } = useStrings()
  const id = useId()
  const action = useAction()
  const [saved, setSaved] = useState<Saved>()
  const { path, source, variable, choices, kind } = field
  const save = (make: () => unknown) =>
    void action.run(async () => {
      const value = make()
      setSaved(await api.post<Saved>("/config/set", { path, ...(value === undefined ? {} : { value }) }))
      onSaved()
    })
  return (
    <div className="field">
      <div className="field-words">
        <label htmlFor={id}>
          <code>{path}</code>
        </label>
        <p id={`${id}-means`}>
          <WithCode text={settings.means[path] ?? ""} />{" "}
          {kind === "list" && choices !== undefined && <span className="muted">{settings.oneOf(choices.map(textOf).join(", "))} </span>}
          <span className="muted">{settings.default(textOf(field.default).replaceAll("\n", ", "))}</span>
        </p>
      </div>
      <div className="field-value">
        <Control field={field} id={id} refused={action.problem !== undefined} save={save} keep={action.clear} />
        <p role="status" className="muted">
          {variable !== undefined
            ? settings.variable(variable)
            : saved !== undefined && action.problem === undefined && settings.applies[saved.applies]}
        </p>
        {action.problem !== undefined && (
          <p id={`${id}-refused`} role="alert" className="bad">
            <WithCode text={action.problem.message} />
          </p>
        )}
        {source === "file" && (
          <Button className="react-aria-Button quiet" aria-label={settings.resetOf(path)} onPress={() => save(() => undefined)}>
            {settings.reset}
          </Button>
        )}
      </div>
    </div>
  )
}
