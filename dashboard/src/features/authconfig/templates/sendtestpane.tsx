import { Link } from '@tanstack/react-router'
import { Send } from 'lucide-react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Section } from '@/components/page'
import { Notice } from '@/components/state'
import { CheckList } from '@/components/steps'
import { templates as t } from '@/strings/templates'
import { stepsOf } from '../smtp/steps'
import type { Kind } from './builtin'
import type { Texts } from './preview'
import { useSendTest } from './sendtest'

/** Sends the mail to the person, and says what became of it. */
export function SendTest({ projectRef, kind, texts }: { projectRef: string; kind: Kind; texts: Texts }) {
  const test = useSendTest(projectRef, kind)
  const out = test.data
  return (
    <Section
      title={t.test}
      description={t.testText}
      action={
        <Button icon={Send} busy={test.isPending} onClick={() => test.mutate(texts)}>
          {t.send}
        </Button>
      }
    >
      <div role="status" className="space-y-3">
        {test.error && <ErrorNote error={test.error} />}
        {out && (
          <Notice
            tone={out.accepted ? 'ok' : 'danger'}
            action={
              out.server === 'inbox' && (
                <Link to="/p/$ref/inbox" params={{ ref: projectRef }} className="text-accent hover:underline">
                  {t.toInbox}
                </Link>
              )
            }
          >
            <p className="font-medium">{out.accepted ? t.sentTo(out.to) : t.notSent(out.to)}</p>
            <p className="break-words">{out.server === 'inbox' ? t.servers.inbox : `${t.servers[out.server]} ${out.answer}`}</p>
          </Notice>
        )}
        {out && (out.steps?.length ?? 0) > 0 && <CheckList label={t.test} checks={stepsOf(out.steps ?? [])} />}
      </div>
    </Section>
  )
}
