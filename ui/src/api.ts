/** The gateway over HTTP. Every answer that is not one is a `Problem` with words for a person. */

export interface ProblemBody {
  readonly error: string
  readonly message: string
  readonly details?: { readonly fix?: string }
  readonly recoverable: boolean
}

/** What went wrong and what to do. `code` is of the one table of errors; `network` when the gateway did not answer. */
export class Problem extends Error {
  readonly code: string
  readonly fix: string
  readonly recoverable: boolean
  constructor({ error, message, details, recoverable }: ProblemBody) {
    super(message)
    this.code = error
    this.fix = details?.fix ?? ""
    this.recoverable = recoverable
  }
}

const unreachable = (cause: unknown): Problem =>
  new Problem({
    error: "network",
    message: `Voxbus does not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
    details: { fix: "Is `npx voxbus start` running?" },
    recoverable: true
  })

const failed = async (response: Response): Promise<Problem> => {
  const body: unknown = await response.json().catch(() => undefined)
  const isProblem = typeof body === "object" && body !== null && "error" in body && "message" in body
  return new Problem(
    isProblem ? (body as ProblemBody) : { error: "internal", message: `${response.status} ${response.statusText}`, recoverable: false }
  )
}

/** Sends a request to `/api`; the raw answer, for audio and files. Throws `Problem`. */
export const request = async (path: string, init: RequestInit = {}): Promise<Response> => {
  const response = await fetch(`/api${path}`, init).catch((cause: unknown) => Promise.reject(unreachable(cause)))
  if (!response.ok) throw await failed(response)
  return response
}

const json = async <A>(path: string, init: RequestInit): Promise<A> => (await request(path, init)).json() as Promise<A>
const withBody = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body ?? {})
})

type Query = Readonly<Record<string, string | number | boolean | undefined>>
const queryText = (query: Query) => {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`
}

export const api = {
  get: <A>(path: string, query: Query = {}, signal?: AbortSignal): Promise<A> =>
    json<A>(path + queryText(query), signal === undefined ? {} : { signal }),
  post: <A>(path: string, body?: unknown): Promise<A> => json<A>(path, withBody("POST", body)),
  put: <A>(path: string, body?: unknown): Promise<A> => json<A>(path, withBody("PUT", body)),
  patch: <A>(path: string, body?: unknown): Promise<A> => json<A>(path, withBody("PATCH", body)),
  delete: <A>(path: string, query: Query = {}): Promise<A> => json<A>(path + queryText(query), { method: "DELETE" })
}
