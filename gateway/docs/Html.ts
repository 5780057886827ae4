/** HTML from text: everything that is put in is escaped, unless it is HTML made here. No script, no style in the page. */

export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | Html | ReadonlyArray<Html> | undefined

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }

export const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)

const written = (part: Part): string => {
  if (part === undefined) return ""
  if (part instanceof Html) return part.text
  return typeof part === "object" ? part.map(({ text }) => text).join("") : escape(String(part))
}

/** @example html`<td>${name}</td>` */
export const html = (strings: TemplateStringsArray, ...parts: ReadonlyArray<Part>): Html =>
  new Html(strings.map((text, index) => text + (index < parts.length ? written(parts[index]) : "")).join(""))

/** `#` and this: what a link to a heading has. */
export const anchor = (name: string): string => name.replaceAll(/[^A-Za-z0-9.-]/g, "-")

/** A whole page; `groups` are the navigation. */
export const page = (options: {
  readonly title: string
  readonly lead: Html
  readonly groups: ReadonlyArray<{ readonly name: string; readonly links: ReadonlyArray<string> }>
  readonly body: ReadonlyArray<Html>
}): string =>
  `<!doctype html>\n${
    html`<html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${options.title}</title>
        <link rel="icon" href="/icon.svg" />
        <link rel="stylesheet" href="/docs/style.css" />
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <nav aria-label="Contents">
          <p><a href="/">Voxbus</a> · <a href="/docs/api">HTTP</a> · <a href="/docs/events">Events</a></p>
          ${options.groups.map(
            ({ name, links }) =>
              html`<details>
                <summary>${name}</summary>
                <ul>
                  ${links.map((link) => html`<li><a href="#${anchor(link)}">${link}</a></li>`)}
                </ul>
              </details>`
          )}
        </nav>
        <main id="content">
          <h1>${options.title}</h1>
          ${options.lead} ${options.body}
        </main>
      </body>
    </html>`.text
  }`
