/** A button of something that takes a while: pressed meanwhile it does nothing, and it keeps the focus, which a disabled one loses. */
import { Button, type ButtonProps } from "react-aria-components"

export const WorkButton = ({ busy, onPress, type, ...rest }: ButtonProps & { readonly busy: boolean }) => (
  <Button
    {...rest}
    data-busy={busy || undefined}
    type={busy ? "button" : (type ?? "button")}
    {...(busy || onPress === undefined ? {} : { onPress })}
  />
)
