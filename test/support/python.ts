/** Python packages for tests, in a folder of their own: installed once for each list of them, nothing of the user's is changed. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const python = process.env["VOXBUS_PYTHON"] ?? "python3"

const PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary=:all:"]

/**
 * Throws when Python or a package cannot be had: a test that needs it must not pass without it.
 *
 * @param requirements path of a list of pinned packages
 */
export const pythonWith = (requirements: string) => {
  const name = `voxbus-test-python-${createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12)}`
  const site = join(tmpdir(), name)
  if (!existsSync(site)) {
    const draft = `${site}.${process.pid}`
    mkdirSync(draft, { recursive: true })
    try {
      execFileSync(python, [...PIP, "--target", draft, "-r", requirements], { stdio: ["ignore", "ignore", "pipe"], timeout: 200_000 })
      renameSync(draft, site)
    } finally {
      rmSync(draft, { recursive: true, force: true })
    }
  }
  return { python, environment: { PYTHONPATH: site } }
}
