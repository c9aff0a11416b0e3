import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { Notice } from '@/components/state'
import { answer, api } from '@/lib/api/client'
import { signIn } from '@/strings/signin'
import { Explained } from './explained'
import { Frame } from './frame'
import { configQuery } from './platform'

/** The first run: the set-up link's page, which makes the first operator's account. */
export function Setup({ code }: { code?: string }) {
  const t = signIn.setup
  const config = useQuery(configQuery)
  const least = config.data?.auth.passwords.min_length ?? 6
  const [form, setForm] = useState({ name: '', email: '', password: '', organization: '' })
  const [tried, setTried] = useState(false)
  const queries = useQueryClient()
  const navigate = useNavigate()
  const finish = useMutation({
    gcTime: 0,
    mutationFn: () => answer(api.POST('/dashboard/first-run', { body: { ...form, email: form.email.trim(), code: code ?? '' } })),
    onSuccess: () => {
      queries.clear()
      return navigate({ to: '/' })
    },
  })
  if (!code) {
    return (
      <Frame title={t.title}>
        <Notice tone="warn">{t.noCode}</Notice>
      </Frame>
    )
  }
  const errors = {
    name: !form.name.trim() && t.missing,
    organization: !form.organization.trim() && t.missing,
    email: !/.@./.test(form.email) && signIn.emailMissing,
    password: form.password.length < least && signIn.signUp.short(least),
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!Object.values(errors).some(Boolean)) finish.mutate()
  }
  const row = (field: keyof typeof form, label: string, rest: React.ComponentProps<typeof Input>, help?: string) => (
    <Field label={label} help={help} error={tried && errors[field]}>
      {(f) => <Input {...f} {...rest} value={form[field]} onChange={(e) => setForm({ ...form, [field]: e.target.value })} />}
    </Field>
  )
  return (
    <Frame title={t.title}>
      <p className="text-text-2">{t.text}</p>
      <form className="space-y-4" noValidate onSubmit={submit}>
        {row('name', t.name, { autoComplete: 'name', maxLength: 256, autoFocus: true })}
        {row('email', signIn.email, { type: 'email', autoComplete: 'username', maxLength: 255 })}
        {row('password', signIn.password, { type: 'password', autoComplete: 'new-password', maxLength: 72 }, signIn.signUp.help(least))}
        {row('organization', t.organization, { autoComplete: 'organization', maxLength: 256 }, t.organizationHelp)}
        {finish.error && <Explained error={finish.error} />}
        <Button kind="primary" type="submit" busy={finish.isPending} className="w-full">
          {t.submit}
        </Button>
      </form>
    </Frame>
  )
}
