/** Whether a device may be recorded: the blocklist first, then the allowlist, and what is in neither is blocked. Pure. */

export interface GuardLists {
  readonly allow: ReadonlyArray<string>
  readonly block: ReadonlyArray<string>
}

export interface Verdict {
  readonly allowed: boolean
  /** For a person. */
  readonly reason: string
}

/** A pattern is a part of the id or the name, in any case; `*` stands for any text. */
const matches = (pattern: string, { id, name }: { readonly id: string; readonly name: string }): boolean => {
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
  const expression = new RegExp(parts.join(".*"), "i")
  return expression.test(id) || expression.test(name)
}

export const judge = (device: { readonly id: string; readonly name: string }, { allow, block }: GuardLists): Verdict => {
  const blocking = block.find((pattern) => matches(pattern, device))
  if (blocking !== undefined) return { allowed: false, reason: `on the blocklist ("${blocking}")` }
  const allowing = allow.find((pattern) => matches(pattern, device))
  if (allowing !== undefined) return { allowed: true, reason: `on the allowlist ("${allowing}")` }
  return { allowed: false, reason: "not on the allowlist, and what is not allowed is blocked" }
}
