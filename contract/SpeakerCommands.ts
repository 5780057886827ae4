/** Who speaks in a call, and what people call them. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { SessionId } from "./Session.ts"

const Speakers = Schema.Struct({
  session: SessionId,
  /** How they were told apart; absent while nobody has been. */
  method: Schema.optionalKey(Schema.Literals(["channels", "voices"])),
  speakers: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      /** Given by a person; the id where there is none. */
      name: Schema.String,
      /** Of speech, seconds. */
      seconds: Schema.Finite
    })
  ),
  /** Id of the speaker of each segment of the transcript; empty where nobody could be told. */
  segments: Schema.Array(Schema.String)
})

export const ListSpeakers = command("speakers.list", {
  request: Schema.Struct({ session: SessionId }),
  reply: Speakers,
  changes: false,
  means: "The speakers of a call with their names, and who says each segment."
})

export const RenameSpeaker = command("speakers.rename", {
  request: Schema.Struct({
    session: SessionId,
    speaker: Schema.NonEmptyString,
    /** Empty takes the name away. */
    name: Schema.String.check(Schema.isMaxLength(100))
  }),
  reply: Speakers,
  changes: true,
  means: "Gives a speaker of one call a name."
})

export const UndoRename = command("speakers.undo", {
  request: Schema.Struct({ session: SessionId }),
  reply: Speakers,
  changes: true,
  means: "Takes the newest rename of a call back; again takes the one before it back."
})
