import { useQuery } from '@tanstack/react-query'
import { Globe } from 'lucide-react'
import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Copyable } from '@/components/copy'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorNote, ErrorState } from '@/components/error'
import { Input, Select } from '@/components/input'
import { Card, KeyValue, KeyValues, Section } from '@/components/page'
import { Badge, EmptyState, Notice, Skeleton, Status, type Tone } from '@/components/state'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { common } from '@/strings/common'
import { sso } from '@/strings/sso'
import { claimsQuery, mailboxes, useCheck, useClaim, useConsent, useDrop, useMail, type Claim, type Mailbox } from './claimsapi'

const t = sso.proof
const tones: Record<string, Tone> = { pending: 'neutral', consent: 'warn', active: 'ok', failing: 'danger', unrouted: 'warn' }

type Props = { projectRef: string; id: string; mayWrite: boolean }

/** The domains of a connection, and how each is proved to be the company's. */
export function Domains({ projectRef: ref, id, mayWrite }: Props) {
  const { data, error, refetch } = useQuery(claimsQuery(ref, id))
  const [domain, setDomain] = useState('')
  const claim = useClaim(ref, id)
  const consent = useConsent(ref, id)
  if (error && !data) return <ErrorState error={error} onRetry={() => void refetch()} />
  const submit = (event: FormEvent) => {
    event.preventDefault()
    claim.mutate(domain.trim(), { onSuccess: (made) => (setDomain(''), toast(t.begun(made.domain))) })
  }
  return (
    <Section title={t.title} description={t.text}>
      <form onSubmit={submit} className="mb-4 flex flex-wrap items-end gap-2">
        <label className="min-w-56 flex-1 sm:max-w-sm">
          <span className="mb-1 block font-medium">{t.claim}</span>
          <Input value={domain} maxLength={253} disabled={!mayWrite} autoComplete="off" spellCheck={false} placeholder="acme.example" onChange={(e) => setDomain(e.target.value)} />
        </label>
        <Button type="submit" busy={claim.isPending} disabled={!mayWrite || domain.trim() === ''} title={mayWrite ? undefined : common.notAllowed}>
          {t.begin}
        </Button>
      </form>
      {(claim.error ?? consent.error) && <div className="mb-4"><ErrorNote error={claim.error ?? consent.error} /></div>}
      {(data?.awaiting_consent ?? []).map((other) => (
        <div key={other.provider_id + other.domain} className="mb-4">
          <Notice tone="warn" action={<Button size="small" disabled={!mayWrite} busy={consent.isPending} onClick={() => consent.mutate(other, { onSuccess: () => toast(t.agreed) })}>{t.agree}</Button>}>
            {t.awaiting}: <strong>{other.domain}</strong>
          </Notice>
        </div>
      ))}
      <Card>
        {!data && <div className="p-4"><Skeleton className="h-16 w-full" /></div>}
        {data?.items?.length === 0 && <EmptyState icon={Globe} title={t.empty}><p>{t.emptyText}</p></EmptyState>}
        <ul className="divide-y divide-line" aria-label={t.title}>
          {(data?.items ?? []).map((c) => (
            <One key={c.domain} projectRef={ref} id={id} mayWrite={mayWrite} claim={c} />
          ))}
        </ul>
      </Card>
    </Section>
  )
}

function One({ projectRef: ref, id, mayWrite, claim: c }: Props & { claim: Claim }) {
  const check = useCheck(ref, id)
  const mail = useMail(ref, id)
  const drop = useDrop(ref, id)
  const [mailbox, setMailbox] = useState<Mailbox>('admin')
  const [asking, ask] = useState(false)
  const open = c.state === 'pending' || c.state === 'failing' || c.state === 'unrouted'
  return (
    <li className="space-y-3 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="min-w-0 font-medium break-all">{c.domain}</span>
        <Status tone={tones[c.state] ?? 'neutral'}>{t.states[c.state] ?? c.state}</Status>
        {c.proof && <Badge tone={c.proof === 'developer' ? 'neutral' : 'ok'}>{t.proofs[c.proof] ?? c.proof}</Badge>}
        {c.proved_at && <span className="text-sm text-text-2">{t.proved} <Time at={c.proved_at} /></span>}
        <Button size="small" className="ml-auto" disabled={!mayWrite} onClick={() => ask(true)}>
          {t.drop}
        </Button>
      </div>
      {t.stateText[c.state] && <p className="max-w-prose text-text-2">{t.stateText[c.state]}</p>}
      {open && c.record_name && (
        <>
          <KeyValues>
            <KeyValue label={t.record}><Copyable text={c.record_name} /></KeyValue>
            <KeyValue label={t.value}><Copyable text={c.record_value ?? ''} /></KeyValue>
          </KeyValues>
          <div className="flex flex-wrap items-center gap-2">
            <Button size="small" busy={check.isPending} disabled={!mayWrite} onClick={() => check.mutate(c.domain, { onSuccess: () => toast(t.passed(c.domain)) })}>
              {t.check}
            </Button>
            <Select aria-label={t.mailTo(c.domain)} className="w-44" disabled={!mayWrite} value={mailbox} onChange={(e) => setMailbox(mailboxes.find((m) => m === e.target.value) ?? 'admin')}>
              {mailboxes.map((m) => (
                <option key={m} value={m}>{m}@</option>
              ))}
            </Select>
            <Button size="small" busy={mail.isPending} disabled={!mayWrite} onClick={() => mail.mutate({ domain: c.domain, mailbox }, { onSuccess: () => toast(t.mailed) })}>
              {t.mail}
            </Button>
          </div>
        </>
      )}
      {(check.error ?? mail.error) && <ErrorNote error={check.error ?? mail.error} />}
      <ConfirmDialog open={asking} onOpenChange={ask} title={t.dropTitle(c.domain)} action={t.drop} onConfirm={async () => {
        await drop.mutateAsync(c.domain)
        toast(t.dropped(c.domain))
      }}>
        <p>{t.dropText}</p>
      </ConfirmDialog>
    </li>
  )
}
