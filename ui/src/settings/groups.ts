/** Which settings stand together, by the beginning of their path; the first that fits counts. */
export const GROUPS = {
  appearance: ["ui"],
  transcription: ["session.transcriber", "provider.transcriber"],
  assistant: ["session.reasoner", "session.speaker", "provider.reasoner", "provider.speaker", "privacy", "conversation"],
  calls: ["recording", "output", "session", "jobs", "import", "watch", "detect"],
  keeping: ["retention"],
  providers: ["provider"],
  system: [""]
} as const satisfies Readonly<Record<string, ReadonlyArray<string>>>

export type Group = keyof typeof GROUPS
export const GROUP_NAMES: ReadonlyArray<Group> = ["appearance", "transcription", "assistant", "calls", "keeping", "providers", "system"]

export const groupOf = (path: string): Group =>
  GROUP_NAMES.find((name) => GROUPS[name].some((start) => start === "" || path === start || path.startsWith(`${start}.`))) ?? "system"
