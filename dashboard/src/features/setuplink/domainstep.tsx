import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input, Select } from '@/components/input'
import { Card } from '@/components/page'
import { Notice, Status } from '@/components/state'
import { setupLink } from '@/strings/setuplink'
import { Actions, FieldToCopy, Heading } from './parts'
import { useCheck, useClaim, useDrop, useFinish, useMail, type Link, type SetupState } from './setuplink'
import type { StepProps } from './setuppage'

type Claim = NonNullable<SetupState['domains']>[number]
const mailboxes = ['admin', 'administrator', 'hostmaster', 'postmaster', 'security', 'webmaster']

export function DomainStep({ link, state, onNext }: StepProps) {
  const t = setupLink.domain
  const [name, setName] = useState('')
  const claim = useClaim(link)
  const finish = useFinish(link)
  const domains = state.domains ?? []
  const closed = (state.done ?? []).includes('domain')
  const active = domains.some((d) => d.state === 'active')
  const lone = !(state.intents ?? []).includes('sso')
  if (!state.connection) return <Heading title={t.title}>{t.first}</Heading>
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (name.trim()) claim.mutate(name.trim(), { onSuccess: () => setName('') })
  }
  return (
    <>
      <Heading title={t.title}>{t.text}</Heading>
      <div className="space-y-4">
        {domains.map((d) => (
          <Domain key={d.domain} link={link} claim={d} closed={closed} />
        ))}
        {!closed && (
          <form noValidate onSubmit={submit} className="space-y-3">
            <Field label={t.label} help={t.help}>
              {(f) => <Input {...f} value={name} maxLength={253} onChange={(e) => setName(e.target.value)} spellCheck={false} autoCapitalize="none" />}
            </Field>
            {claim.error && <ErrorNote error={claim.error} />}
            <Button type="submit" busy={claim.isPending}>
              {t.add}
            </Button>
          </form>
        )}
      </div>
      {finish.error && <ErrorNote error={finish.error} />}
      <Actions>
        {lone && !closed ? (
          <Button kind="primary" disabled={!active} busy={finish.isPending} onClick={() => finish.mutate('domain', { onSuccess: onNext })}>
            {t.finish}
          </Button>
        ) : (
          <Button kind={active ? 'primary' : 'secondary'} onClick={onNext}>
            {setupLink.next}
          </Button>
        )}
      </Actions>
    </>
  )
}

function Domain({ link, claim, closed }: { link: Link; claim: Claim; closed: boolean }) {
  const t = setupLink.domain
  const check = useCheck(link)
  const mail = useMail(link)
  const drop = useDrop(link)
  const [mailbox, setMailbox] = useState('admin')
  const error = check.error ?? mail.error ?? drop.error
  const developer = claim.proof === 'developer'
  return (
    <Card className="space-y-3 p-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="min-w-0 flex-1 font-medium break-all">{claim.domain}</h3>
        <Status tone={claim.state === 'active' ? 'ok' : 'warn'}>{developer ? t.developer : (t.states[claim.state] ?? claim.state)}</Status>
        {!developer && !closed && (
          <Button kind="quiet" size="small" busy={drop.isPending} onClick={() => drop.mutate(claim.domain)}>
            {t.drop}
          </Button>
        )}
      </div>
      {claim.state === 'consent' && <p className="text-text-2">{t.consent}</p>}
      {(claim.state === 'pending' || claim.state === 'failing') && (
        <>
          <p className="text-text-2">{t.record}</p>
          <dl className="divide-y divide-line rounded border border-line bg-sunken">
            <FieldToCopy label={t.recordName} text={claim.record_name ?? ''} />
            <FieldToCopy label={t.recordValue} text={claim.record_value ?? ''} />
          </dl>
          <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
            <Button size="small" busy={check.isPending} onClick={() => check.mutate(claim.domain)}>
              {t.check}
            </Button>
            <span className="text-sm text-text-2">{t.slow}</span>
          </div>
          <div className="flex flex-wrap items-center gap-2">
            <span className="text-text-2">{t.orMail}</span>
            <Select className="w-40" aria-label={t.orMail} value={mailbox} onChange={(e) => setMailbox(e.target.value)}>
              {mailboxes.map((m) => (
                <option key={m}>{m}</option>
              ))}
            </Select>
            <span className="min-w-0 break-all">@{claim.domain}</span>
            <Button size="small" busy={mail.isPending} onClick={() => mail.mutate({ domain: claim.domain, mailbox })}>
              {t.mail}
            </Button>
          </div>
          {mail.isSuccess && <Notice>{t.mailed(`${mailbox}@${claim.domain}`)}</Notice>}
        </>
      )}
      {error && <ErrorNote error={error} />}
    </Card>
  )
}
