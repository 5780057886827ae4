/**
 * The page: push to talk, see what was understood, hear the answer. Hold the button or the space bar; Escape stops.
 * What travels over the socket is described in the gateway's Protocol.ts.
 */
import { Connection } from "./connection.js"
import * as conversation from "./conversation.js"
import { Microphone } from "./microphone.js"
import { Player } from "./player.js"

const find = (selector) => document.querySelector(selector)
const [talk, stop, hint, level, form, input, status, statusText] = [
  "#talk",
  "#stop",
  "#hint",
  "#level",
  "#typed",
  "#question",
  "#status",
  "#status-text"
].map(find)
const sendButton = form.querySelector("button")

const STATUS = {
  CONNECTING: ["connecting", "Connecting"],
  LISTENING: ["listening", "Listening"],
  TRANSCRIBING: ["working", "Transcribing"],
  THINKING: ["working", "Thinking"],
  SPEAKING: ["speaking", "Speaking"],
  IDLE: ["idle", "Ready"]
}

const microphone = new Microphone()
const player = new Player((report) => connection.send({ type: "played", ...report, interrupted: false }))

let session
let state = "CONNECTING"
/** Turn that is being worked on or spoken; undefined when all is quiet. */
let active
/** Newest turn that was stopped: what is still on its way of it is neither shown nor played. */
let stale = 0
let unwanted = false
/** Number of the press that is held; a press that ended while the microphone opened is not recorded. */
let press = 0
let recording = false

const show = (next) => {
  state = next
  const [kind, text] = STATUS[next]
  status.dataset.state = kind
  statusText.textContent = text
  const connected = next !== "CONNECTING"
  talk.disabled = sendButton.disabled = !connected
  stop.hidden = !(recording || active !== undefined)
}

const volume = (loudest) => {
  // -60..0 dBFS as 0..1: loudness is heard in decibels.
  const shown = loudest <= 0 ? 0 : Math.max(0, 1 + Math.log10(loudest) / 3)
  talk.style.setProperty("--volume", shown)
  level.firstElementChild.style.setProperty("--volume", shown)
  level.setAttribute("aria-valuenow", Math.round(shown * 100))
}

const held = (down) => {
  talk.setAttribute("aria-pressed", down)
  hint.textContent = down ? "Let go when you are done" : "Hold to talk"
  volume(0)
}

/** Ends what is being said or thought. */
const interrupt = () => {
  const report = player.stop()
  if (report !== undefined) connection.send({ type: "played", ...report, interrupted: true })
  if (active === undefined) return
  connection.send({ type: "cancel", turn: active })
  conversation.stopped(active)
  stale = active
  active = undefined
}

const REASONS = {
  NotAllowedError: ["The browser does not let this page use the microphone.", "Allow it in the address bar, or type your question."],
  NotFoundError: ["There is no microphone.", "Connect one, or type your question."],
  NotReadableError: ["The microphone is used by another program.", "Close that program, or type your question."]
}

const pressed = async () => {
  if (recording || !connection.open || talk.getAttribute("aria-pressed") === "true") return
  press += 1
  const mine = press
  interrupt()
  player.unlock()
  held(true)
  try {
    const sampleRate = await microphone.open()
    // Let go while the browser asked for permission.
    if (mine !== press) return void conversation.note("The microphone is ready. Hold the button while you speak.")
    recording = true
    connection.send({ type: "utterance.start", sampleRate })
    microphone.record((pcm, loudest) => {
      connection.sendAudio(pcm)
      volume(loudest)
    })
    show(state)
  } catch (cause) {
    held(false)
    const [message, fix] = REASONS[cause.name] ?? [`The microphone cannot be used: ${cause.message}`, "Type your question instead."]
    conversation.error({ message, fix })
  }
}

/** @param kept false throws away what was recorded */
const released = async (kept) => {
  if (talk.getAttribute("aria-pressed") !== "true") return
  press += 1
  held(false)
  if (!recording) return
  await microphone.finish()
  recording = false
  connection.send({ type: kept ? "utterance.end" : "utterance.cancel" })
  show(state)
}

const stopAll = () => {
  if (recording) released(false)
  interrupt()
  show(connection.open ? "IDLE" : "CONNECTING")
}

const receive = {
  ready: (message) => {
    if (message.session !== undefined && message.session !== session) {
      session = message.session
      stale = 0
      conversation.forget()
    }
    if (state === "CONNECTING") show("IDLE")
  },
  turn: ({ turn, state: next }) => {
    if (turn !== undefined && active !== undefined && turn < active) return
    active = next === "IDLE" ? undefined : (turn ?? active)
    show(next)
  },
  transcript: ({ text }) => conversation.question(text),
  rejected: ({ message }) => conversation.note(message),
  reply: ({ turn, text }) => void (turn > stale && conversation.sentence(turn, text)),
  "reply.done": ({ turn, text }) => void (turn > stale && conversation.answer(turn, text)),
  speech: (message) => {
    unwanted = message.turn <= stale
    if (!unwanted) player.begin(message)
  },
  "speech.done": ({ turn }) => player.finish(turn),
  error: (message) => {
    if (message.code === "session.unknown") return void (session = undefined)
    conversation.error(message)
  }
}

const connection = new Connection({
  onOpen: () => connection.send({ type: "hello", ...(session === undefined ? {} : { session }) }),
  onMessage: (message) => receive[message.type]?.(message),
  onAudio: (pcm) => void (unwanted || player.push(pcm)),
  onClose: () => {
    if (recording) microphone.finish()
    recording = false
    active = undefined
    held(false)
    show("CONNECTING")
  }
})

talk.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return
  talk.setPointerCapture(event.pointerId)
  pressed()
})
for (const end of ["pointerup", "pointercancel"]) talk.addEventListener(end, () => released(true))
talk.addEventListener("contextmenu", (event) => event.preventDefault())
// Assistive technology clicks without holding: one click begins, the next one ends.
talk.addEventListener("click", (event) => {
  if (event.detail !== 0) return
  if (talk.getAttribute("aria-pressed") === "true") released(true)
  else pressed()
})

const talksWith = ({ key, target }) =>
  (key === " " && !target.closest("input, #stop, #typed button")) || (key === "Enter" && target === talk)

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return stopAll()
  if (!talksWith(event)) return
  event.preventDefault()
  if (!event.repeat) pressed()
})
document.addEventListener("keyup", (event) => {
  if (!talksWith(event)) return
  event.preventDefault()
  released(true)
})
// The key goes up in another window: nobody would tell us.
window.addEventListener("blur", () => released(true))
stop.addEventListener("click", stopAll)

form.addEventListener("submit", (event) => {
  event.preventDefault()
  const text = input.value.trim()
  if (text === "" || !connection.open) return
  interrupt()
  player.unlock()
  connection.send({ type: "ask", text })
  input.value = ""
})
