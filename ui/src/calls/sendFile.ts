/** Sends a recording to `POST /api/calls`. `fetch` does not say how much of a body has gone, so this is the older way. */
import { Problem, type ProblemBody } from "../api.ts"

/** @param onProgress 0..1 of the bytes that went out */
export const sendFile = (file: File, onProgress: (ratio: number) => void): Promise<{ readonly session: string }> =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open("POST", `/api/calls?${new URLSearchParams({ name: file.name }).toString()}`)
    request.setRequestHeader("content-type", file.type === "" ? "application/octet-stream" : file.type)
    request.responseType = "json"
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total === 0 ? 0 : loaded / total))
    request.addEventListener("load", () => {
      const body: unknown = request.response
      if (request.status < 300) return resolve(body as { readonly session: string })
      const known = typeof body === "object" && body !== null && "message" in body
      reject(
        new Problem(
          known ? (body as ProblemBody) : { error: "internal", message: `${request.status} ${request.statusText}`, recoverable: false }
        )
      )
    })
    request.addEventListener("error", () =>
      reject(new Problem({ error: "network", message: "Voxbus does not answer.", recoverable: true }))
    )
    request.send(file)
  })
