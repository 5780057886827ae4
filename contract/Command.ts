/**
 * A command: what a person or a program may ask of a running Voxbus. Request and reply on the subject `cmd.<area>.<verb>`,
 * both JSON, both with a schema. A command answers quickly; what takes long is a job whose events tell how it goes.
 *
 * An answer carries the header `Vox-Error` with a code of the error table when it is a failure; its body is then
 * `{ code, message, fix, recoverable }`.
 */
import type * as Schema from "effect/Schema"

/** A schema that needs no services, of a type that JSON can carry. */
type Plain = Schema.Top & { readonly DecodingServices: never; readonly EncodingServices: never }

/** Where a command is over HTTP. Parameters of the path (`:session`) and of the query are fields of the request. */
export interface HttpRoute {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** Below `/api`, such as `/sessions/:session`. */
  readonly path: string
}

export interface CommandSpec<Request extends Plain = Plain, Reply extends Plain = Plain> {
  /** `<area>.<verb>`. */
  readonly name: string
  readonly request: Request
  readonly reply: Reply
  /** Whether it changes something: such commands are in the audit log and want the right to write. */
  readonly changes: boolean
  /** Its requests hold a secret: they are never quoted, not even when they are not valid. */
  readonly secret?: boolean
  /** One sentence for a person. */
  readonly means: string
  /** Its address over HTTP; `/<area>/<verb>` by GET, or by POST if it changes something, when absent. */
  readonly http?: HttpRoute
  /** Costs much: counted against the client's rate limit. */
  readonly expensive?: boolean
  /** Wants the scope `admin`: configuration, keys, credentials, deleting. */
  readonly admin?: boolean
  /** Wants the right to write although it is not in the audit log: it comes many times a second. */
  readonly writes?: boolean
}

/**
 * @example
 * export const ListSessions = command("sessions.list", { request: Schema.Struct({}), reply: Sessions, changes: false, means: "..." })
 */
export const command = <Request extends Plain, Reply extends Plain>(
  name: string,
  rest: Omit<CommandSpec<Request, Reply>, "name">
): CommandSpec<Request, Reply> => ({ name, ...rest })

export const commandSubject = ({ name }: Pick<CommandSpec, "name">): string => `cmd.${name}`

/** The address of a command over HTTP. */
export const routeOf = ({ name, http, changes }: Pick<CommandSpec, "name" | "http" | "changes">): HttpRoute =>
  http ?? { method: changes ? "POST" : "GET", path: `/${name.replaceAll(".", "/")}` }

/** What a caller must be allowed to do. */
export const scopeOf = ({ changes, admin, writes }: Pick<CommandSpec, "changes" | "admin" | "writes">): Scope =>
  admin === true ? "admin" : changes || writes === true ? "write" : "read"

/** Rights of a token: `read` the log and what is made of it, `write` (start, ask, edit), `admin` (settings, keys, deleting). */
export const SCOPES = ["read", "write", "admin"] as const
export type Scope = (typeof SCOPES)[number]
