import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Checkbox, Input, Textarea } from '@/components/input'
import { toast } from '@/components/toast'
import { common } from '@/strings/common'
import { users as t } from '@/strings/users'
import { parseObject } from './metadata'
import { useCreateUser } from './mutations'

const blank = { email: '', password: '', confirm: true, metadata: '' }

/** Creates a user without a mail. */
export function CreateDialog({ projectRef, open, onClose }: { projectRef: string; open: boolean; onClose: () => void }) {
  const [form, setForm] = useState(blank)
  const create = useCreateUser(projectRef)
  const c = t.creating
  const metadata = parseObject(form.metadata)
  const change = (part: Partial<typeof blank>) => setForm({ ...form, ...part })
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (!metadata.value) return
    create.mutate(
      { email: form.email.trim(), email_confirm: form.confirm, ...(form.password && { password: form.password }), ...(form.metadata.trim() && { user_metadata: metadata.value }) },
      {
        onSuccess: () => {
          setForm(blank)
          toast(c.done)
          onClose()
        },
      },
    )
  }
  return (
    <Dialog
      open={open}
      onOpenChange={() => !create.isPending && onClose()}
      title={c.title}
      description={c.text}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" form="create" kind="primary" busy={create.isPending}>
            {c.submit}
          </Button>
        </>
      }
    >
      <form id="create" onSubmit={(e) => void submit(e)} className="space-y-4 pb-2">
        <Field label={c.email}>{(f) => <Input {...f} type="email" required maxLength={255} value={form.email} onChange={(e) => change({ email: e.target.value })} autoComplete="off" autoFocus />}</Field>
        <Field label={c.password} help={c.passwordHelp}>
          {(f) => <Input {...f} type="password" maxLength={1000} value={form.password} onChange={(e) => change({ password: e.target.value })} autoComplete="new-password" />}
        </Field>
        <label className="flex items-center gap-2">
          <Checkbox checked={form.confirm} onCheckedChange={(confirm) => change({ confirm })} />
          {c.confirm}
        </label>
        <Field label={c.metadata} error={metadata.error}>
          {(f) => <Textarea {...f} className="font-mono text-sm" placeholder='{"plan": "pro"}' value={form.metadata} onChange={(e) => change({ metadata: e.target.value })} spellCheck={false} />}
        </Field>
        {create.error && <ErrorNote error={create.error} />}
      </form>
    </Dialog>
  )
}
