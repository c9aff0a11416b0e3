import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Button } from '@/components/button'
import { ErrorState } from '@/components/error'
import { Notice, Skeleton } from '@/components/state'
import { asApiError } from '@/lib/api/error'
import { endSession } from '@/lib/session'
import { signIn } from '@/strings/signin'
import { Explained } from './explained'
import { Frame } from './frame'
import { invitationQuery, useAccept } from './invitation'
import { JoinForm } from './joinform'
import { personQuery } from './person'
import { configQuery } from './platform'
import { SignInForm } from './signinform'

const t = signIn.invite

/** Where a mailed invitation leads: who invites to what, then sign in or make an account. */
export function Invite({ token = '' }: { token?: string }) {
  const config = useQuery(configQuery)
  const person = useQuery(personQuery)
  const invitation = useQuery(invitationQuery(token))
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [email, setEmail] = useState('')
  const [known, setKnown] = useState(false)
  const accept = useAccept(token)
  const again = () => void queries.invalidateQueries({ queryKey: personQuery.queryKey })
  const leave = useMutation({ mutationFn: endSession, onSuccess: again })
  const joined = ({ organization_slug: slug, ref }: { organization_slug: string; ref?: string }) => {
    // Everything is read anew, but for the invitation, which is used up.
    queries.removeQueries({ predicate: (query) => query.queryKey[0] !== invitationQuery(token).queryKey[0] })
    void (ref ? navigate({ to: '/p/$ref', params: { ref } }) : navigate({ to: '/orgs/$slug', params: { slug } }))
  }
  if (!token) return <Frame title={t.loading}><Notice tone="warn">{t.noToken}</Notice><ToSignIn /></Frame>
  if (invitation.error) {
    if (asApiError(invitation.error).temporary) return <ErrorState error={invitation.error} onRetry={() => void invitation.refetch()} />
    return <Frame title={t.loading}><Notice tone="warn">{t.invalid}</Notice><ToSignIn /></Frame>
  }
  const [i, c] = [invitation.data, config.data]
  if (!i || !c || person.isPending) return <Frame title={t.loading}><Skeleton className="h-40 w-full" /></Frame>
  return (
    <Frame title={t.title(i.organization)}>
      <div className="space-y-1 break-words">
        <p>
          {t.by(i.invited_by)} {t.to(i.organization, i.project, i.role)}
        </p>
        <p className="text-sm text-text-2">{t.mailedTo(i.email)}</p>
      </div>
      {person.data ? (
        <div className="space-y-4">
          <p className="break-words text-text-2">{t.as(person.data.email)}</p>
          {accept.error && <Explained error={accept.error} />}
          <div className="flex flex-wrap gap-2">
            <Button kind="primary" busy={accept.isPending} onClick={() => accept.mutate(undefined, { onSuccess: joined })}>
              {t.accept}
            </Button>
            <Button busy={leave.isPending} onClick={() => leave.mutate()}>
              {t.other}
            </Button>
          </div>
        </div>
      ) : (
        <>
          {known ? <SignInForm config={c} email={email} onEmail={setEmail} onDone={again} /> : <JoinForm token={token} config={c} onJoined={joined} />}
          <Button kind="quiet" onClick={() => setKnown(!known)}>
            {known ? t.toSignUp : t.toSignIn}
          </Button>
        </>
      )}
    </Frame>
  )
}

function ToSignIn() {
  return (
    <Link to="/sign-in" className="text-sm text-accent hover:underline">
      {signIn.toSignIn}
    </Link>
  )
}
