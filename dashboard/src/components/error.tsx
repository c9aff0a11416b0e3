import { Link } from '@tanstack/react-router'
import { CircleAlert, Lock, RotateCw, SearchX } from 'lucide-react'
import { common } from '@/strings/common'
import { asApiError } from '@/lib/api/error'
import { Button } from './button'
import { CopyButton } from './copy'

/** The code by which an organization refuses people without a second factor. */
const secondFactor = 'organization_mfa_required'

/** What happened, why, and what to do, in words. */
function explain(error: unknown) {
  const e = asApiError(error)
  const texts = common.errors
  if (e.status === 0) return { ...texts.noAnswer, e }
  if (e.status === 401) return { ...texts.session, e }
  if (e.code === secondFactor) return { ...texts.secondFactor, e }
  if (e.status === 403) return { title: texts.forbidden.title, advice: texts.forbidden.advice, e }
  if (e.status === 404) return { ...texts.notFound, e }
  if (e.status === 409) return { title: texts.conflict.title, advice: texts.conflict.advice, e }
  if (e.status === 429) return { title: texts.tooMany.title, advice: texts.tooMany.advice(e.retryAfter), e }
  if (e.status >= 500) return { ...texts.server, e }
  return { title: texts.refused.title, advice: '', e }
}

function Request({ id, code }: { id: string; code: string }) {
  return (
    <p className="flex flex-wrap items-center gap-x-2 text-xs text-text-3">
      <span className="font-mono">{code}</span>
      {id && (
        <>
          <span>
            {common.request} <span className="font-mono">{id}</span>
          </span>
          <CopyButton text={id} label={common.copyRequest} />
        </>
      )}
    </p>
  )
}

/** An error in place of what could not be shown. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { title, advice, e } = explain(error)
  const Icon = e.status === 403 ? Lock : e.status === 404 ? SearchX : CircleAlert
  return (
    <div role="alert" className="mx-auto flex max-w-lg flex-col items-start gap-3 px-4 py-12">
      <Icon className="size-5 text-text-3" strokeWidth={1.5} aria-hidden />
      <div className="space-y-1">
        <h2 className="text-lg font-semibold">{title}</h2>
        <p className="break-words text-text-2">{e.message}</p>
        {advice && <p className="text-text-2">{advice}</p>}
      </div>
      <Request id={e.requestId} code={e.code} />
      <div className="flex gap-2">
        {onRetry && e.status !== 403 && e.status !== 404 && (
          <Button icon={RotateCw} onClick={onRetry}>
            {common.retry}
          </Button>
        )}
        {e.code === secondFactor && (
          <Link to="/account" search={{ back: location.pathname + location.search }} hash="factors" className="rounded bg-accent px-3 py-1.5 font-medium text-accent-text">
            {common.errors.secondFactor.action}
          </Link>
        )}
        {(e.status === 403 || e.status === 404) && e.code !== secondFactor && (
          <Link to="/" className="text-accent hover:underline">
            {common.toProjects}
          </Link>
        )}
      </div>
    </div>
  )
}

/** An error beside the form or the button that caused it. */
export function ErrorNote({ error }: { error: unknown }) {
  const { title, advice, e } = explain(error)
  return (
    <div role="alert" className="space-y-1 rounded border border-danger/40 bg-danger-soft px-3 py-2">
      <p className="font-medium text-danger">{e.status === 400 || e.status === 422 ? e.message : title}</p>
      {e.status !== 400 && e.status !== 422 && <p className="break-words text-text-2">{e.message}</p>}
      {advice && <p className="text-text-2">{advice}</p>}
      <Request id={e.requestId} code={e.code} />
    </div>
  )
}
