import { common } from '@/strings/common'
import { Button } from './button'
import { CodeBlock } from './code'
import { SecretField } from './copy'
import { Dialog } from './dialog'
import { Notice } from './state'

/** Shows the text of a new access token, once. It closes only by its button. */
export function MadeToken({ token, onClose }: { token: string; onClose: () => void }) {
  const t = common.madeToken
  return (
    <Dialog
      open
      onOpenChange={() => {}}
      title={t.title}
      footer={
        <Button kind="primary" onClick={onClose}>
          {t.done}
        </Button>
      }
    >
      <div className="space-y-4 pb-2">
        <Notice tone="warn">{t.text}</Notice>
        <SecretField label={t.label} value={token} />
        <CodeBlock
          label={t.use}
          code={[
            { label: 'reeve', code: `export REEVE_ACCESS_TOKEN=…\nreeve projects list --url ${location.origin}` },
            { label: 'curl', code: `curl ${location.origin}/v1/projects -H "Authorization: Bearer $REEVE_ACCESS_TOKEN"` },
          ]}
        />
      </div>
    </Dialog>
  )
}
