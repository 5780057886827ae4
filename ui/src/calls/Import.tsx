/** Files and folders become calls: dropped here, or chosen. Each is sent with its progress; the queue says how it goes on. */
import { useState } from "react"
import { Button, type DropItem, DropZone, FileTrigger, ProgressBar, Text } from "react-aria-components"
import { useStrings } from "../preferences.tsx"
import { sendFile } from "./sendFile.ts"

interface Sending {
  readonly name: string
  readonly ratio: number
  readonly problem?: string
}

/** In a folder lies also what is no recording; a file that is dropped or chosen by itself is always sent. */
const isRecording = ({ type }: File) => type.startsWith("audio/") || type.startsWith("video/")

/** What was dropped, with everything in folders and theirs. */
const filesOf = async (
  items: Iterable<DropItem> | AsyncIterable<DropItem>,
  wanted: (file: File) => boolean
): Promise<ReadonlyArray<File>> => {
  const files: Array<File> = []
  for await (const item of items) {
    if (item.kind === "directory") files.push(...(await filesOf(item.getEntries(), isRecording)))
    if (item.kind !== "file") continue
    const file = await item.getFile()
    if (wanted(file)) files.push(file)
  }
  return files
}

export const Import = ({ onQueued }: { readonly onQueued: () => void }) => {
  const { calls } = useStrings()
  const [sending, setSending] = useState<ReadonlyArray<Sending>>([])

  const send = async (files: ReadonlyArray<File>) => {
    for (const file of files) {
      const change = (to: Sending | undefined) =>
        setSending((all) => [...all.filter(({ name }) => name !== file.name), ...(to === undefined ? [] : [to])])
      change({ name: file.name, ratio: 0 })
      try {
        await sendFile(file, (ratio) => change({ name: file.name, ratio }))
        change(undefined)
        onQueued()
      } catch (cause) {
        change({ name: file.name, ratio: 0, problem: cause instanceof Error ? cause.message : String(cause) })
      }
    }
  }

  return (
    <section className="card import" aria-labelledby="import-title">
      <h2 id="import-title">{calls.importTitle}</h2>
      <DropZone
        className="drop"
        onDrop={({ items }) => {
          void filesOf(items, () => true).then(send)
        }}
      >
        <Text slot="label">{calls.drop}</Text>
        <FileTrigger allowsMultiple acceptedFileTypes={["audio/*", "video/*"]} onSelect={(list) => void send([...(list ?? [])])}>
          <Button>{calls.choose}</Button>
        </FileTrigger>
        <FileTrigger acceptDirectory onSelect={(list) => void send([...(list ?? [])].filter(isRecording))}>
          <Button>{calls.chooseFolder}</Button>
        </FileTrigger>
      </DropZone>
      <ul className="plain sending">
        {sending.map(({ name, ratio, problem }) => (
          <li key={name}>
            {problem === undefined ? (
              <ProgressBar value={ratio * 100} aria-label={calls.sending(name)}>
                {({ valueText }) => (
                  <>
                    <span>{name}</span> <span className="muted">{valueText}</span>
                    <div className="bar-back">
                      <div className="bar-front" style={{ "--ratio": ratio } as React.CSSProperties} />
                    </div>
                  </>
                )}
              </ProgressBar>
            ) : (
              <p role="alert" className="bad">
                {name}: {problem}
              </p>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
