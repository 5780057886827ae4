/** A button for what cannot be taken back: it asks first. The focus begins where nothing is lost. */
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from "react-aria-components"
import { useStrings } from "../preferences.tsx"

export const Confirm = ({
  label,
  describes,
  title,
  text,
  onConfirm
}: {
  /** On the button, and on the one that goes through with it. */
  readonly label: string
  /** What the button is called where several have the same label. */
  readonly describes?: string
  readonly title: string
  readonly text: string
  readonly onConfirm: () => void
}) => {
  const { common } = useStrings()
  return (
    <DialogTrigger>
      <Button className="react-aria-Button danger" {...(describes === undefined ? {} : { "aria-label": describes })}>
        {label}
      </Button>
      <ModalOverlay className="overlay centre" isDismissable>
        <Modal className="dialog">
          <Dialog role="alertdialog">
            {({ close }) => (
              <>
                <Heading slot="title" level={2}>
                  {title}
                </Heading>
                <p>{text}</p>
                <div className="row">
                  <Button autoFocus onPress={close}>
                    {common.cancel}
                  </Button>
                  <Button
                    className="react-aria-Button danger"
                    onPress={() => {
                      close()
                      onConfirm()
                    }}
                  >
                    {label}
                  </Button>
                </div>
              </>
            )}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  )
}
