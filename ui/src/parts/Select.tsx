/** A choice of a few: the browser's own list, which every keyboard, screen reader and phone knows. */
import { useId } from "react"

export interface Option {
  readonly value: string
  readonly label: string
}

export const Select = ({
  label,
  value,
  options,
  onChange,
  hideLabel = false,
  isDisabled = false,
  describedBy
}: {
  readonly label: string
  readonly value: string
  readonly options: ReadonlyArray<Option>
  readonly onChange: (value: string) => void
  readonly hideLabel?: boolean
  readonly isDisabled?: boolean
  readonly describedBy?: string
}) => {
  const id = useId()
  return (
    <div className="select">
      <label htmlFor={id} className={hideLabel ? "visually-hidden" : undefined}>
        {label}
      </label>
      <select id={id} value={value} disabled={isDisabled} aria-describedby={describedBy} onChange={(event) => onChange(event.target.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  )
}
