import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { Page } from '@/components/page'
import { newOrg as t } from '@/strings/projects'
import { useCreateOrg } from './create'

/** Makes an organization. */
export function NewOrgPage() {
  const [name, setName] = useState('')
  const [tried, setTried] = useState(false)
  const create = useCreateOrg()
  const navigate = useNavigate()
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!name.trim()) return
    const { slug } = await create.mutateAsync(name.trim())
    await navigate({ to: '/orgs/$slug', params: { slug } })
  }
  return (
    <Page title={t.title} description={t.description}>
      <form className="max-w-md space-y-4" onSubmit={(e) => void submit(e).catch(() => {})}>
        <Field label={t.name} help={t.nameHelp} error={tried && !name.trim() ? t.nameMissing : undefined}>
          {(f) => <Input {...f} value={name} onChange={(e) => setName(e.target.value)} maxLength={256} autoComplete="organization" autoFocus dir="auto" />}
        </Field>
        {create.error && <ErrorNote error={create.error} />}
        <Button kind="primary" type="submit" busy={create.isPending}>
          {t.create}
        </Button>
      </form>
    </Page>
  )
}
