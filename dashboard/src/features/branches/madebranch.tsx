import { useNavigate } from '@tanstack/react-router'
import { TriangleAlert } from 'lucide-react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { Dialog } from '@/components/dialog'
import { Notice } from '@/components/state'
import { branches as t } from '@/strings/branches'
import type { NewBranch } from './branches'

/** The secrets of a new branch, once. */
export function MadeBranch({ branch, onDone }: { branch: NewBranch; onDone: () => void }) {
  const navigate = useNavigate()
  const env = [
    ['AUTH_URL', branch.url],
    ['AUTH_KEY', branch.publishable_key],
    ['AUTH_SECRET_KEY', branch.secret_key],
    ['DATABASE_URL', branch.db_url],
  ]
    .filter(([, value]) => value)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')
  return (
    <Dialog
      open
      wide
      onOpenChange={() => undefined}
      title={t.made.title(branch.name)}
      footer={
        <>
          <Button
            onClick={() => {
              onDone()
              void navigate({ to: '/p/$ref', params: { ref: branch.ref } })
            }}
          >
            {t.made.open}
          </Button>
          <Button kind="primary" onClick={onDone}>
            {t.made.done}
          </Button>
        </>
      }
    >
      <div className="space-y-4 pb-3">
        <Notice tone="warn" icon={TriangleAlert}>
          {t.made.once}
        </Notice>
        <CodeBlock label={t.made.env} code={env} />
      </div>
    </Dialog>
  )
}
