import { ConfirmDialog } from '@/components/dialog'
import { toast } from '@/components/toast'
import { user as t } from '@/strings/user'
import type { Act } from './actions'
import { BanDialog } from './bandialog'
import { DeleteDialog } from './deletedialog'
import { LinkDialog } from './linkdialog'
import { useChangeUser, useEndSessions, useMail, useUnban } from './mutations'
import { PasswordDialog } from './passworddialog'
import type { Detail } from './user'
import { addressOf, phoneOf } from './words'

export type ActProps = { user: Detail; projectRef: string; onClose: () => void }

/** The dialog of what is to be done to a user. */
export function ActDialog({ act, ...props }: ActProps & { act: Act }) {
  switch (act.kind) {
    case 'ban':
      return <BanDialog {...props} />
    case 'delete':
      return <DeleteDialog {...props} />
    case 'link':
      return <LinkDialog {...props} />
    case 'password':
      return <PasswordDialog {...props} />
    default:
      return <Confirmed act={act} {...props} />
  }
}

type Simple = Exclude<Act, { kind: 'ban' | 'delete' | 'link' | 'password' }> | Act

/** What needs no more than a yes. */
function Confirmed({ act, user, projectRef, onClose }: ActProps & { act: Simple }) {
  const mail = useMail(projectRef, user.id)
  const change = useChangeUser(projectRef, user.id)
  const unban = useUnban(projectRef, user.id)
  const endAll = useEndSessions(projectRef, user.id)
  const a = t.acts
  const of = (): { title: string; text: string; action: string; run: () => Promise<unknown>; done: string } => {
    switch (act.kind) {
      case 'mail':
        return { title: a.askMail(user.email), text: a.mailTexts[act.mail], action: a.sendMail, run: () => mail.mutateAsync({ type: act.mail }), done: a.sent(user.email) }
      case 'unban':
        return { title: `${a.unban}?`, text: addressOf(user), action: a.unban, run: () => unban.mutateAsync(), done: a.unbanned }
      case 'confirmPhone':
        return { title: `${a.confirmPhone}?`, text: phoneOf(user.phone), action: a.confirmPhone, run: () => change.mutateAsync({ phone_confirm: true }), done: a.confirmed }
      case 'signOut':
        return { title: t.sessions.askAll, text: t.sessions.textAll((user.sessions ?? []).length), action: t.sessions.endAll, run: () => endAll.mutateAsync(), done: t.sessions.endedAll }
      default:
        return { title: `${a.confirmEmail}?`, text: user.email, action: a.confirmEmail, run: () => change.mutateAsync({ email_confirm: true }), done: a.confirmed }
    }
  }
  const { title, text, action, run, done } = of()
  return (
    <ConfirmDialog open onOpenChange={onClose} title={title} action={action} danger={false} onConfirm={() => run().then(() => toast(done))}>
      <p className="break-words">{text}</p>
    </ConfirmDialog>
  )
}
