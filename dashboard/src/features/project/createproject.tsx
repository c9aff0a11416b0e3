import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input, Select } from '@/components/input'
import { common } from '@/strings/common'
import { projects } from '@/strings/projects'
import { useCreateProject } from './create'

/** Asks for a name, creates the project, and leads to its first minute. */
export function CreateProject({ slug, onClose }: { slug: string; onClose: () => void }) {
  const t = projects.form
  const [name, setName] = useState('')
  const [ttl, setTtl] = useState('')
  const [tried, setTried] = useState(false)
  const create = useCreateProject()
  const navigate = useNavigate()
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!name.trim()) return
    const { ref } = await create.mutateAsync({ name: name.trim(), organization_slug: slug, ...(ttl && { ttl }) })
    await navigate({ to: '/p/$ref/start', params: { ref } })
  }
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && !create.isPending && onClose()}
      title={t.title}
      footer={
        <>
          <Button onClick={onClose} disabled={create.isPending}>
            {common.cancel}
          </Button>
          <Button kind="primary" type="submit" form="project" busy={create.isPending}>
            {projects.create}
          </Button>
        </>
      }
    >
      <form id="project" className="space-y-4 pb-2" onSubmit={(e) => void submit(e).catch(() => {})}>
        <Field label={t.name} help={t.nameHelp} error={tried && !name.trim() ? t.nameMissing : undefined}>
          {(f) => <Input {...f} value={name} onChange={(e) => setName(e.target.value)} maxLength={256} autoComplete="off" autoFocus dir="auto" />}
        </Field>
        <Field label={t.lifetime} help={t.lifetimeHelp}>
          {(f) => (
            <Select {...f} value={ttl} onChange={(e) => setTtl(e.target.value)}>
              <option value="">{t.forever}</option>
              <option value="24h">{t.day}</option>
              <option value="168h">{t.week}</option>
            </Select>
          )}
        </Field>
        {create.error && <ErrorNote error={create.error} />}
      </form>
    </Dialog>
  )
}
