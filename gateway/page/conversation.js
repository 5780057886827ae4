/** The conversation as a list: questions, answers that grow sentence by sentence, notes and errors. */
const log = document.querySelector("#log")
const welcome = document.querySelector("#welcome")
const answers = new Map()

const add = (kind, text) => {
  welcome.hidden = true
  const item = document.createElement("li")
  item.className = kind
  item.textContent = text
  log.append(item)
  item.scrollIntoView({ block: "end" })
  return item
}

export const question = (text) => void add("question", text)
export const note = (text) => void add("note", text)

/** Commands come in backticks. */
const withCode = (text) =>
  text.split("`").map((part, index) => {
    if (index % 2 === 0) return part
    const code = document.createElement("code")
    code.textContent = part
    return code
  })

/** @param problem { message, fix } as the gateway sends them */
export const error = ({ message, fix }) => {
  const item = add("error", "")
  const what = document.createElement("strong")
  what.append(...withCode(message))
  item.append(what, ...withCode(fix))
  item.scrollIntoView({ block: "end" })
}

export const sentence = (turn, text) => {
  const item = answers.get(turn)
  if (item === undefined) return void answers.set(turn, add("answer", text))
  item.textContent += ` ${text}`
  item.scrollIntoView({ block: "end" })
}

/** The whole answer replaces its sentences. */
export const answer = (turn, text) => {
  const item = answers.get(turn)
  if (item === undefined) sentence(turn, text)
  else if (item.textContent !== text) item.textContent = text
}

export const stopped = (turn) => answers.get(turn)?.classList.add("stopped")

/** Another session begins to count turns from 1. */
export const forget = () => answers.clear()
