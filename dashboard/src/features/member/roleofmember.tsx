import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { ChoiceList } from '@/components/choicelist'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { toast } from '@/components/toast'
import type { Schema } from '@/lib/api/client'
import { common } from '@/strings/common'
import { team } from '@/strings/team'
import { useChangeRole } from './members'

type Props = { slug: string; member: Schema<'Member'>; roles: Schema<'MemberRole'>[]; onClose: () => void }

/** Gives a member another role. */
export function RoleOfMember({ slug, member, roles, onClose }: Props) {
  const [role, setRole] = useState(member.role_name)
  const change = useChangeRole(slug)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    await change.mutateAsync({ id: member.user_id, role })
    toast(team.changeRole.done(member.user_name, role))
    onClose()
  }
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={team.changeRole.title(member.user_name)}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button kind="primary" type="submit" form="role-of" busy={change.isPending} disabled={role === member.role_name}>
            {team.changeRole.save}
          </Button>
        </>
      }
    >
      <form id="role-of" className="space-y-3 pb-2" onSubmit={(e) => void submit(e).catch(() => {})}>
        <RoleChoice name="role" roles={roles} value={role} onChange={setRole} />
        {change.error && <ErrorNote error={change.error} />}
      </form>
    </Dialog>
  )
}

/** Roles to choose one of, with what each is for. */
export function RoleChoice({ name, roles, value, onChange }: { name: string; roles: Schema<'MemberRole'>[]; value: string; onChange: (role: string) => void }) {
  return <ChoiceList name={name} label={team.columns.role} value={value} onChange={onChange} options={roles.map((r) => ({ value: r.name, label: r.name, text: r.description }))} />
}
