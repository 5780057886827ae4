/** Text of the program, where commands come in backticks. */
import { Fragment } from "react"

export const WithCode = ({ text }: { readonly text: string }) =>
  text.split("`").map((part, index) => (index % 2 === 0 ? <Fragment key={index}>{part}</Fragment> : <code key={index}>{part}</code>))
