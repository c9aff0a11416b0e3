import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CircleCheck, CircleSlash, Info, TriangleAlert, UserX } from 'lucide-react'
import { useState } from 'react'
import { buttonClass } from '@/components/button'
import { ErrorState } from '@/components/error'
import { Page } from '@/components/page'
import { EmptyState, Notice, Skeleton } from '@/components/state'
import { asApiError } from '@/lib/api/error'
import { user as t } from '@/strings/user'
import { UserActions, type Act } from './actions'
import { ActDialog } from './actdialog'
import { Factors } from './factors'
import { Passkeys } from './passkeys'
import { Identities } from './identities'
import { Messages } from './messages'
import { Profile } from './profile'
import { sentenceOf } from './sentence'
import { Sessions } from './sessions'
import type { Source } from './timeline'
import { TimelineSection } from './timelinesection'
import { userQuery, type Detail } from './user'
import { titleOf } from './words'

const icons = { ok: CircleCheck, warn: TriangleAlert, danger: CircleSlash, neutral: UserX, info: Info }

type Props = { projectRef: string; id: string; show?: Source; onShow: (source?: Source) => void; mayWrite: boolean; mayReadInbox: boolean }

/** A user: why they cannot sign in, who they are, and what happened. */
export function UserPage({ projectRef, id, show, onShow, mayWrite, mayReadInbox }: Props) {
  const query = useQuery(userQuery(projectRef, id))
  const [act, setAct] = useState<Act>()
  const crumbs = [
    <Link key="users" to="/p/$ref/users" params={{ ref: projectRef }}>
      {t.crumb}
    </Link>,
  ]
  if (query.error && asApiError(query.error).status === 404) return <Gone projectRef={projectRef} crumbs={crumbs} />
  if (query.error && !query.data) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />
  const user = query.data
  return (
    <Page title={user ? titleOf(user) : ' '} wide crumbs={crumbs} action={user && mayWrite && !user.deleted_at && <UserActions user={user} onAct={setAct} />}>
      {user ? <Sentence user={user} /> : <Skeleton className="h-9 w-full" />}
      <div className="mt-6 grid gap-x-10 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <div className="min-w-0">
          {user ? (
            <>
              <Profile key={user.id} user={user} projectRef={projectRef} mayWrite={mayWrite && !user.deleted_at} />
              <Identities user={user} projectRef={projectRef} mayWrite={mayWrite} />
              <Factors user={user} projectRef={projectRef} mayWrite={mayWrite} />
              <Passkeys user={user} projectRef={projectRef} mayWrite={mayWrite} />
              <Sessions user={user} projectRef={projectRef} mayWrite={mayWrite} />
              <Messages user={user} projectRef={projectRef} mayReadInbox={mayReadInbox} />
            </>
          ) : (
            Array.from({ length: 6 }, (_, i) => <Skeleton key={i} className="mb-3 h-9 w-full" />)
          )}
        </div>
        <TimelineSection projectRef={projectRef} id={id} show={show} onShow={onShow} />
      </div>
      {user && act && <ActDialog act={act} user={user} projectRef={projectRef} onClose={() => setAct(undefined)} />}
    </Page>
  )
}

function Sentence({ user }: { user: Detail }) {
  const { tone, text } = sentenceOf(user)
  return (
    <Notice tone={tone} icon={icons[tone]}>
      <p className="break-words">{text}</p>
    </Notice>
  )
}

function Gone({ projectRef, crumbs }: { projectRef: string; crumbs: React.ReactNode[] }) {
  return (
    <Page title={t.gone.title} crumbs={crumbs}>
      <EmptyState
        icon={UserX}
        title={t.gone.title}
        action={
          <Link to="/p/$ref/users" params={{ ref: projectRef }} className={buttonClass('primary')}>
            {t.gone.back}
          </Link>
        }
      >
        {t.gone.text}
      </EmptyState>
    </Page>
  )
}
