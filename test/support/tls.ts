/** A self-signed certificate for 127.0.0.1, made anew with the system's openssl. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface Certificate {
  /** Paths of PEM files. */
  readonly certificate: string
  readonly key: string
  readonly remove: () => void
}

/** Throws when there is no openssl: the tests that need it must not pass without it. */
export const selfSigned = (): Certificate => {
  const folder = mkdtempSync(join(tmpdir(), "voxbus-tls-"))
  const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")]
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
  execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", certificate, "-days", "2", ...subject], { stdio: "ignore" })
  return { certificate, key, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
