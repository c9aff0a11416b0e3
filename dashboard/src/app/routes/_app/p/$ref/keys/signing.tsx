import { createFileRoute } from '@tanstack/react-router'
import { SigningKeysPage } from '@/features/keys/signing/signingkeyspage'

export const Route = createFileRoute('/_app/p/$ref/keys/signing')({ component: SigningKeys })

function SigningKeys() {
  const { ref } = Route.useParams()
  return <SigningKeysPage projectRef={ref} />
}
