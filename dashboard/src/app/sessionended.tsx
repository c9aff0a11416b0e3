import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Button, buttonClass } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { person, useSessionEnded } from '@/lib/session'
import { shell } from '@/strings/shell'

/** Stands over the page when the session has ended, so that nothing typed is lost. */
export function SessionEnded() {
  const ended = useSessionEnded()
  const queries = useQueryClient()
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const t = shell.sessionEnded
  const again = async () => {
    setBusy(true)
    try {
      setProblem((await person()) ? '' : t.notYet)
      void queries.invalidateQueries()
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={ended}
      onOpenChange={() => {}}
      title={t.title}
      description={t.text}
      footer={
        <>
          <a href="/sign-in" target="_blank" rel="noopener" className={buttonClass()}>
            {t.open}
          </a>
          <Button kind="primary" busy={busy} onClick={() => void again()}>
            {t.continue}
          </Button>
        </>
      }
    >
      {problem && (
        <p role="alert" className="text-danger">
          {problem}
        </p>
      )}
    </Dialog>
  )
}
