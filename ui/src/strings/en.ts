/** Every word of the page, in English. Other languages have the same shape. */
import { calls } from "./en.calls.ts"
import { settings } from "./en.settings.ts"

export const en = {
  language: "English",
  nav: { label: "Main", talk: "Talk", calls: "Calls", bus: "Bus", settings: "Settings", skip: "Skip to the content" },
  status: { ok: "Ready", degraded: "Something is missing", starting: "Starting", offline: "Not connected" },
  door: {
    title: "Voxbus does not know this browser yet",
    text: "Open the link that `npx voxbus start` printed, or run this and open what it prints:",
    command: "npx voxbus open",
    retry: "Try again"
  },
  common: {
    loading: "Loading",
    retry: "Try again",
    close: "Close",
    cancel: "Cancel",
    save: "Save",
    undo: "Undo",
    delete: "Delete",
    nothing: "Nothing here yet",
    copied: "Copied"
  },
  talk: {
    title: "Talk",
    conversation: "Conversation",
    lead: "Hold the button and speak.",
    how: "Or hold the space bar. Let go when you are done; Escape stops the answer. Nothing leaves this machine unless you set up a provider.",
    button: "Hold to talk",
    hold: "Hold to talk",
    letGo: "Let go when you are done",
    handsFree: "Hands-free",
    justSpeak: "Just speak; a pause ends the question. Speak into an answer to stop it.",
    level: "Microphone level",
    stop: "Stop",
    send: "Send",
    type: "Type a question",
    placeholder: "Or type a question",
    clear: "New conversation",
    devices: "Microphone and loudspeaker",
    microphoneChoice: "Microphone",
    speakerChoice: "Loudspeaker",
    usual: "The browser's own choice",
    notThere: "Not connected",
    devicesMean: "The browser names them once the microphone was used. The choice counts from the next question on.",
    phases: {
      CONNECTING: "Connecting",
      IDLE: "Ready",
      LISTENING: "Listening",
      TRANSCRIBING: "Transcribing",
      THINKING: "Thinking",
      SPEAKING: "Speaking",
      ERROR: "Something went wrong"
    },
    microphone: {
      ready: "The microphone is ready. Hold the button while you speak.",
      fix: "Type your question instead, or allow the microphone in the address bar.",
      NotAllowedError: "The browser does not let this page use the microphone.",
      NotFoundError: "There is no microphone.",
      NotReadableError: "The microphone is used by another program."
    }
  },
  calls,
  settings,
  bus: {
    title: "Bus",
    map: "The actors and what passes between them",
    events: "Events",
    filter: "Filter by subject or actor",
    quiet: "Nothing has passed yet. Say something, or import a call.",
    counts: "In each circle: events published since this page was opened.",
    published: (n: number) => (n === 1 ? "1 event" : `${n} events`),
    recent: "Newest sessions",
    conversation: "Conversation",
    call: "Call",
    rate: (n: number) => `${n.toFixed(1)} events a second`,
    waiting: (n: number) => `${n} waiting`,
    restarts: (n: number) => (n === 1 ? "came back once" : `came back ${n} times`),
    status: { ready: "ready", starting: "starting", degraded: "degraded", down: "down", unknown: "not heard of" },
    subject: "Subject",
    place: "Place",
    by: "By",
    cause: "Where it comes from",
    first: "It is the first of its session.",
    body: "Content",
    openTimeline: "Timeline of its session",
    timeline: "Timeline",
    back: "Bus",
    spans: (events: number, time: string) => `${events} events in ${time}`,
    more: "These are the first 500 events.",
    letters: (n: number) => (n === 0 ? "Dead letters" : `Dead letters (${n})`),
    noLetters: "None: everything could be handled.",
    attempts: (n: number) => (n === 1 ? "1 attempt" : `${n} attempts`),
    retry: "Try again",
    retrying: "Trying again",
    drop: "Set aside",
    droppedOne: "Set aside."
  },
  theme: { label: "Appearance", system: "As the system", light: "Light", dark: "Dark" }
}
export type Strings = typeof en
