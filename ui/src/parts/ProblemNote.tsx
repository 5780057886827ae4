/** What went wrong and what to do. */
import { Button } from "react-aria-components"
import type { Problem } from "../api.ts"
import { useStrings } from "../preferences.tsx"
import { WithCode } from "./WithCode.tsx"

export const ProblemNote = ({ problem, retry }: { readonly problem: Problem; readonly retry?: () => void }) => {
  const { common } = useStrings()
  return (
    <div role="alert" className="problem">
      <strong>
        <WithCode text={problem.message} />
      </strong>
      {problem.fix !== "" && (
        <p>
          <WithCode text={problem.fix} />
        </p>
      )}
      {retry !== undefined && <Button onPress={retry}>{common.retry}</Button>}
    </div>
  )
}
