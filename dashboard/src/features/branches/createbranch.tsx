import { useEffect, useState } from 'react'
import { ConfirmDialog } from '@/components/dialog'
import { Field } from '@/components/form'
import { Input, Select } from '@/components/input'
import { branches as t } from '@/strings/branches'
import { useCreateBranch, type NewBranch } from './branches'

/** Asks for a branch's name and end, and says what a copy is and how long it takes. */
export function CreateBranch({ projectRef, onClose, onMade }: { projectRef: string; onClose: () => void; onMade: (branch: NewBranch) => void }) {
  const create = useCreateBranch(projectRef)
  const [name, setName] = useState('')
  const [git, setGit] = useState('')
  const [ttl, setTtl] = useState('72h')
  const [seconds, setSeconds] = useState(0)
  useEffect(() => {
    setSeconds(0)
    if (!create.isPending) return
    const timer = setInterval(() => setSeconds((n) => n + 1), 1000)
    return () => clearInterval(timer)
  }, [create.isPending])
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.form.title}
      action={t.create}
      danger={false}
      onConfirm={async () => {
        if (!name.trim()) throw new Error(t.form.nameWrong)
        onMade(await create.mutateAsync({ name: name.trim(), ...(git.trim() && { git_branch: git.trim() }), ...(ttl && { ttl }) }))
      }}
    >
      <Field label={t.form.name}>{(field) => <Input {...field} autoFocus required maxLength={64} placeholder="pr-42" value={name} onChange={(e) => setName(e.target.value)} />}</Field>
      <Field label={t.form.git} help={t.form.gitHelp}>
        {(field) => <Input {...field} maxLength={255} value={git} onChange={(e) => setGit(e.target.value)} spellCheck={false} />}
      </Field>
      <Field label={t.form.ttl}>{(field) => <TtlSelect field={field} value={ttl} onChange={setTtl} />}</Field>
      <ul className="list-disc space-y-1 pt-1 pl-5 text-sm">
        <li>{t.form.copied}</li>
        <li>{t.form.notCopied}</li>
        <li>{t.form.time}</li>
      </ul>
      <p role="status" className="text-sm font-medium text-text">
        {create.isPending && t.form.running(seconds)}
      </p>
    </ConfirmDialog>
  )
}

export function TtlSelect({ field, value, onChange, never = true }: { field: { id: string }; value: string; onChange: (ttl: string) => void; never?: boolean }) {
  return (
    <Select {...field} value={value} onChange={(e) => onChange(e.target.value)}>
      {Object.entries(t.form.ttls)
        .filter(([ttl]) => never || ttl !== '')
        .map(([ttl, text]) => (
          <option key={ttl} value={ttl}>
            {text}
          </option>
        ))}
    </Select>
  )
}
