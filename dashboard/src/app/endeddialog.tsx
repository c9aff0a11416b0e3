import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRouteContext } from '@tanstack/react-router'
import { useState } from 'react'
import { Button, buttonClass } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { configQuery } from '@/features/session/platform'
import { SignInForm } from '@/features/session/signinform'
import { person } from '@/lib/session'
import { shell } from '@/strings/shell'

/** Stands over the page when the session has ended, so that nothing typed is lost. */
export default function EndedDialog() {
  const t = shell.sessionEnded
  const { person: before } = useRouteContext({ from: '/_app' })
  const queries = useQueryClient()
  const config = useQuery(configQuery)
  const [email, setEmail] = useState(before.email)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const again = async () => {
    setBusy(true)
    try {
      const now = await person()
      setProblem(now ? '' : t.notYet)
      if (now && now.id !== before.id) location.assign('/') // what stands here is somebody else's
      else void queries.invalidateQueries()
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onOpenChange={() => {}}
      title={t.title}
      description={t.text}
      footer={
        <>
          <a href="/sign-in" target="_blank" rel="noopener" className={buttonClass()}>
            {t.open}
          </a>
          <Button busy={busy} onClick={() => void again()}>
            {t.continue}
          </Button>
        </>
      }
    >
      <div className="space-y-3 pb-2">
        {config.data?.auth.methods.email && <SignInForm config={config.data} email={email} onEmail={setEmail} onDone={() => void again()} />}
        {problem && (
          <p role="alert" className="text-danger">
            {problem}
          </p>
        )}
      </div>
    </Dialog>
  )
}
