import { TriangleAlert } from 'lucide-react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { Dialog } from '@/components/dialog'
import { Notice } from '@/components/state'
import { formatExact } from '@/lib/format'
import { keys as t } from '@/strings/keys'
import type { Key } from './keys'

export type Made = { key: Key; /** Until when the key before it works; null for not any more. */ oldUntil?: string | null }

/** Shows the text of a new key, once. It closes only by its button, so that no slip loses the text. */
export function MadeKey({ made, onDone }: { made: Made | undefined; onDone: () => void }) {
  if (!made) return null
  const secret = made.key.type === 'secret'
  const text = made.key.api_key ?? ''
  return (
    <Dialog
      open
      onOpenChange={() => undefined}
      title={t.made.title}
      footer={
        <Button kind="primary" onClick={onDone}>
          {t.made.done}
        </Button>
      }
    >
      <div className="space-y-4 pb-3">
        {secret ? (
          <Notice tone="warn" icon={TriangleAlert}>
            {t.made.once}
          </Notice>
        ) : (
          <p className="text-text-2">{t.made.public}</p>
        )}
        <CodeBlock label={made.key.name} code={[{ label: made.key.name, code: text }, { label: t.made.env, code: `${secret ? 'REEVE_SECRET_KEY' : 'REEVE_PUBLISHABLE_KEY'}=${text}` }]} />
        {made.oldUntil !== undefined && <p className="text-text-2">{made.oldUntil ? t.made.rotated(formatExact(made.oldUntil)) : t.made.rotatedNow}</p>}
      </div>
    </Dialog>
  )
}
