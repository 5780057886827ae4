/** Who publishes what for whom, and where the nodes of the picture are: in a wide page and in a narrow one. */
export interface Node {
  readonly name: string
  readonly x: number
  readonly y: number
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly nodes: ReadonlyArray<Node>
  /** Ways that are not the usual curve, by `from to`. */
  readonly bends: Readonly<Record<string, string>>
}

export const WIDE: Layout = {
  width: 120,
  height: 54,
  nodes: [
    { name: "gateway", x: 8, y: 24 },
    { name: "capture", x: 28, y: 24 },
    { name: "normalizer", x: 48, y: 24 },
    { name: "transcriber", x: 68, y: 24 },
    { name: "reasoner", x: 90, y: 13 },
    { name: "speaker", x: 112, y: 13 },
    { name: "bundler", x: 90, y: 33 },
    { name: "diarizer", x: 112, y: 33 },
    { name: "spotter", x: 68, y: 43 }
  ],
  // The voice goes back to the gateway around everything else.
  bends: { "speaker gateway": "M 112 13 C 100 -3, 24 -5, 8 24" }
}

export const NARROW: Layout = {
  width: 62,
  height: 68,
  nodes: [
    { name: "gateway", x: 10, y: 9 },
    { name: "capture", x: 31, y: 9 },
    { name: "normalizer", x: 52, y: 9 },
    { name: "transcriber", x: 52, y: 32 },
    { name: "reasoner", x: 31, y: 32 },
    { name: "speaker", x: 10, y: 32 },
    { name: "bundler", x: 52, y: 55 },
    { name: "diarizer", x: 31, y: 55 },
    { name: "spotter", x: 10, y: 55 }
  ],
  bends: { "transcriber spotter": "M 52 32 C 42 46, 14 40, 10 55" }
}

/** Tag of an event to the nodes that work on it. An event that is not here stays where it was made. */
const TAKERS: Readonly<Record<string, ReadonlyArray<string>>> = {
  "job.queued": ["capture"],
  "session.opened": ["normalizer"],
  "audio.captured": ["normalizer"],
  "audio.normalized": ["transcriber"],
  "audio.completed": ["bundler"],
  "text.transcribed": ["reasoner", "bundler", "spotter"],
  "text.rejected": ["bundler"],
  "reply.drafted": ["speaker"],
  "speech.synthesized": ["gateway"],
  "transcript.completed": ["diarizer"],
  "speech.heard": ["reasoner"],
  "speech.interrupted": ["reasoner"],
  "turn.cancelled": ["speaker"]
}

const ONLY_CALLS = ["bundler", "spotter", "diarizer"]
const ONLY_TURNS = ["reasoner", "speaker"]

/** Only one of the two: a call has no answer, a turn no bundle. */
export const takersOf = (tag: string, mode: string): ReadonlyArray<string> =>
  (TAKERS[tag] ?? []).filter((name) => !(mode === "call" ? ONLY_TURNS : ONLY_CALLS).includes(name))

export const EDGES: ReadonlyArray<readonly [from: string, to: string]> = [
  ["gateway", "capture"],
  ["capture", "normalizer"],
  ["normalizer", "transcriber"],
  ["transcriber", "reasoner"],
  ["transcriber", "bundler"],
  ["transcriber", "spotter"],
  ["bundler", "diarizer"],
  ["reasoner", "speaker"],
  ["speaker", "gateway"]
]

export const nodeOf = ({ nodes }: Layout, name: string): Node | undefined => nodes.find((node) => node.name === name)

const curve = (from: Node, to: Node): string => {
  const middle = (from.x + to.x) / 2
  return `M ${from.x} ${from.y} C ${middle} ${from.y}, ${middle} ${to.y}, ${to.x} ${to.y}`
}

/** The way an event goes. */
export const wayOf = ({ bends }: Layout, from: Node, to: Node): string => bends[`${from.name} ${to.name}`] ?? curve(from, to)

const HUES: Readonly<Record<string, number>> = {
  job: 210,
  session: 190,
  audio: 265,
  text: 150,
  reply: 45,
  speech: 20,
  turn: 0,
  transcript: 120,
  bundle: 95,
  keyword: 320,
  error: 0,
  health: 220
}

/** Every noun has its colour, so that a kind of event is known at a glance. */
export const hueOf = (tag: string): number => HUES[tag.split(".")[0] ?? ""] ?? 240
