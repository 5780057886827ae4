/** Questions and answers. A sentence is marked while it is heard; a screen reader hears each item once, when it is whole. */
import { useEffect, useRef } from "react"
import { WithCode } from "../parts/WithCode.tsx"
import { useStrings } from "../preferences.tsx"
import type { Item, Snapshot } from "./TalkSession.ts"

type Answer = Extract<Item, { readonly kind: "answer" }>

const AnswerItem = ({ answer, sentence }: { readonly answer: Answer; readonly sentence: number | undefined }) => (
  <li className={answer.stopped ? "answer stopped" : "answer"}>
    {answer.sentences.map(({ number, text }) => (
      <span key={number} className={number === sentence ? "heard" : undefined}>
        {text}{" "}
      </span>
    ))}
  </li>
)

const Entry = ({ item, speaking }: { readonly item: Item; readonly speaking: Snapshot["speaking"] }) => {
  switch (item.kind) {
    case "answer":
      return <AnswerItem answer={item} sentence={speaking?.turn === item.turn ? speaking.sentence : undefined} />
    case "problem":
      return (
        <li className="problem">
          <strong>
            <WithCode text={item.message} />
          </strong>{" "}
          <WithCode text={item.fix} />
        </li>
      )
    default:
      return <li className={item.kind}>{item.text}</li>
  }
}

const whole = (item: Item): string =>
  item.kind === "answer"
    ? item.done
      ? item.sentences.map(({ text }) => text).join(" ")
      : ""
    : item.kind === "problem"
      ? `${item.message} ${item.fix}`
      : item.text

export const Conversation = ({ items, partial, speaking }: Pick<Snapshot, "items" | "partial" | "speaking">) => {
  const { talk } = useStrings()
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => {
    end.current?.scrollIntoView({ block: "nearest" })
  }, [items, partial])
  const newest = items.at(-1)
  return (
    <div className="conversation">
      {items.length === 0 && partial === "" && (
        <div className="welcome">
          <p className="lead">{talk.lead}</p>
          <p className="muted">{talk.how}</p>
        </div>
      )}
      <ol aria-label={talk.conversation}>
        {items.map((item) => (
          <Entry key={item.id} item={item} speaking={speaking} />
        ))}
        {partial !== "" && <li className="question partial">{partial}</li>}
      </ol>
      <div ref={end} />
      <p className="visually-hidden" role="status">
        {newest === undefined ? "" : whole(newest)}
      </p>
    </div>
  )
}
