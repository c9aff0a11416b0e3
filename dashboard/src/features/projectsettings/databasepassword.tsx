import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { FormRow } from '@/components/form'
import { Card, Section } from '@/components/page'
import { SecretInput } from '@/components/secretinput'
import { toast } from '@/components/toast'
import { useDraft } from '@/lib/draft'
import { projectSettings } from '@/strings/projectsettings'
import { useSetPassword } from './change'

const t = projectSettings.password
const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789'

/** A password of 32 letters and digits: 186 bits. */
function generate(): string {
  const out: string[] = []
  while (out.length < 32) {
    for (const n of crypto.getRandomValues(new Uint8Array(64))) {
      // What would make some letters likelier is drawn again.
      if (n < 256 - (256 % letters.length) && out.length < 32) out.push(letters.charAt(n % letters.length))
    }
  }
  return out.join('')
}

/** A new password of the database's owner. */
export function DatabasePassword({ projectRef, allowed }: { projectRef: string; allowed: boolean }) {
  const [draft, setDraft] = useDraft<{ password?: string }>(`database password of ${projectRef}`, {})
  const password = draft.password ?? ''
  const setPassword = (next: string) => setDraft(next === '' ? {} : { password: next })
  const [asking, ask] = useState(false)
  const change = useSetPassword(projectRef)
  return (
    <Section title={t.title} description={t.text}>
      <Card className="px-4">
        <FormRow label={t.label} help={allowed ? t.help : projectSettings.forbidden}>
          {(field) => (
            <>
              <SecretInput {...field} disabled={!allowed} maxLength={128} value={password} onChange={(next) => setPassword(next ?? '')} />
              {password === '' ? (
                <Button disabled={!allowed} onClick={() => setPassword(generate())}>
                  {t.generate}
                </Button>
              ) : (
                <Button kind="primary" onClick={() => ask(true)}>
                  {t.action}
                </Button>
              )}
            </>
          )}
        </FormRow>
      </Card>
      <ConfirmDialog
        open={asking}
        onOpenChange={ask}
        title={t.action}
        action={t.action}
        onConfirm={async () => {
          await change.mutateAsync(password)
          setPassword('')
          toast(t.done)
        }}
      >
        <p>{t.confirm}</p>
      </ConfirmDialog>
    </Section>
  )
}
