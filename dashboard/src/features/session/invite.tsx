import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Button } from '@/components/button'
import { Notice, Skeleton } from '@/components/state'
import { answer, api } from '@/lib/api/client'
import { endSession } from '@/lib/session'
import { signIn } from '@/strings/signin'
import { Explained } from './explained'
import { Frame } from './frame'
import { personQuery } from './person'
import { configQuery, enter, takeLink } from './platform'
import { SignInForm } from './signinform'
import { SignUpForm } from './signupform'

/** Where a mailed invitation leads: sign in or make an account, then accept. */
export function Invite({ token }: { token?: string }) {
  const t = signIn.invite
  const config = useQuery(configQuery)
  const person = useQuery(personQuery)
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [email, setEmail] = useState('')
  const [making, setMaking] = useState(false)
  const [link, setLink] = useState(takeLink)
  const again = () => void queries.invalidateQueries({ queryKey: personQuery.queryKey })
  const confirmed = useMutation({
    mutationFn: enter,
    onSuccess: () => {
      setLink(null)
      again()
    },
  })
  const accept = useMutation({
    mutationFn: () => answer(api.POST('/v1/invitations/accept', { body: { token: token ?? '' } })),
    onSuccess: ({ organization_slug: slug, ref }) => {
      queries.removeQueries()
      return ref ? navigate({ to: '/p/$ref', params: { ref } }) : navigate({ to: '/orgs/$slug', params: { slug } })
    },
  })
  const leave = useMutation({ mutationFn: endSession, onSuccess: again })
  if (!token) return <Frame title={t.title}><Notice tone="warn">{t.noToken}</Notice></Frame>
  if (!config.data || person.isPending) return <Frame title={t.title}><Skeleton className="h-40 w-full" /></Frame>
  const tokens = link?.tokens
  if (tokens) {
    return (
      <Frame title={t.title}>
        <p className="break-words text-text-2">{signIn.link.text(link.email)}</p>
        {confirmed.error && <Explained error={confirmed.error} />}
        <Button kind="primary" busy={confirmed.isPending} onClick={() => confirmed.mutate(tokens)}>
          {signIn.link.submit}
        </Button>
      </Frame>
    )
  }
  if (person.data) {
    return (
      <Frame title={t.title}>
        <p className="break-words text-text-2">{t.as(person.data.email)}</p>
        {accept.error && <Explained error={accept.error} />}
        <div className="flex flex-wrap gap-2">
          <Button kind="primary" busy={accept.isPending} onClick={() => accept.mutate()}>
            {t.accept}
          </Button>
          <Button busy={leave.isPending} onClick={() => leave.mutate()}>
            {t.other}
          </Button>
        </div>
      </Frame>
    )
  }
  const Form = making ? SignUpForm : SignInForm
  return (
    <Frame title={t.title}>
      <p className="text-text-2">{t.text}</p>
      <Form config={config.data} email={email} onEmail={setEmail} onDone={again} />
      {config.data.auth.sign_up && (
        <Button kind="quiet" onClick={() => setMaking(!making)}>
          {making ? signIn.toSignIn : signIn.toSignUp}
        </Button>
      )}
    </Frame>
  )
}
