import { RotateCw } from 'lucide-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { Button } from '@/components/button'
import { Notice, Skeleton } from '@/components/state'
import { signIn } from '@/strings/signin'
import type { Config } from './platform'

const t = signIn.captcha

type Widget = {
  render: (where: HTMLElement, options: { sitekey: string; theme: string; callback: (token: string) => void; 'expired-callback': () => void; 'error-callback': () => void }) => string
  reset: (id: string) => void
  remove: (id: string) => void
}

declare global {
  interface Window {
    turnstile?: Widget
    hcaptcha?: Widget
  }
}

/** Where the widgets' scripts are; the content security policy of the sign-in page allows them while one is configured. */
const scripts = { turnstile: 'https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit', hcaptcha: 'https://js.hcaptcha.com/1/api.js?render=explicit' }

/** The documents whose policy allows a widget: see signIns in dashboard/handler.go. */
const pages = ['/sign-in', '/reset']

/** The address of the document, which navigation within the app does not change. */
const documentPath = new URL(performance.getEntriesByType('navigation')[0]?.name ?? location.href).pathname

/** Which captcha forms must solve; undefined for none. */
const serviceOf = (config: Config) => (config.auth.captcha && config.auth.captcha_site_key ? config.auth.captcha : undefined)

/** Whether forms must solve a captcha. */
export const asksCaptcha = (config: Config) => serviceOf(config) !== undefined

/** Whether forms must solve a captcha that this document may not show. */
export const captchaElsewhere = (config: Config) => serviceOf(config) !== undefined && !pages.includes(documentPath)

/** Loads the sign-in page as a document of its own, where the present one may not show the captcha. */
export function useCaptchaDocument(config: Config | undefined) {
  const elsewhere = config !== undefined && captchaElsewhere(config) && pages.includes(location.pathname)
  useEffect(() => {
    if (elsewhere) location.replace(location.href)
  }, [elsewhere])
  return elsewhere
}

/** Goes on behind the sign-in; in a new document where this one has the script of a captcha. */
export function goOn(config: Config | undefined, to: string, push: (to: string) => void) {
  if (config && serviceOf(config)) location.assign(to)
  else push(to)
}

function load(service: 'turnstile' | 'hcaptcha') {
  return new Promise<Widget>((resolve, reject) => {
    const ready = () => (window[service] ? resolve(window[service]) : reject(new Error('no widget')))
    if (window[service]) return ready()
    const script = document.createElement('script')
    script.src = scripts[service]
    script.onload = ready
    script.onerror = () => {
      script.remove()
      reject(new Error('not loaded'))
    }
    document.head.append(script)
  })
}

/**
 * The captcha of a form: its widget, the token once it is solved, and whether the form
 * can be sent. A token is good for one request: renew after each.
 */
export function useCaptcha(config: Config, tried: boolean): { field: ReactNode; token: string | undefined; ready: boolean; renew: () => void } {
  const service = serviceOf(config)
  const [token, setToken] = useState('')
  const [state, setState] = useState<'loading' | 'shown' | 'failed'>('loading')
  const [attempt, setAttempt] = useState(0)
  const host = useRef<HTMLDivElement>(null)
  const shown = useRef<{ widget: Widget; id: string }>(undefined)
  useEffect(() => {
    if (!service) return
    let gone = false
    setState('loading')
    load(service).then(
      (widget) => {
        if (gone || !host.current) return
        const lost = () => setToken('')
        const id = widget.render(host.current, { sitekey: config.auth.captcha_site_key, theme: document.documentElement.dataset.theme ?? 'light', callback: setToken, 'expired-callback': lost, 'error-callback': lost })
        shown.current = { widget, id }
        setState('shown')
      },
      () => gone || setState('failed'),
    )
    return () => {
      gone = true
      shown.current?.widget.remove(shown.current.id)
      shown.current = undefined
    }
  }, [service, config.auth.captcha_site_key, attempt])
  const renew = () => {
    setToken('')
    shown.current?.widget.reset(shown.current.id)
  }
  if (!service) return { field: null, token: undefined, ready: true, renew }
  const field = (
    <div className="space-y-2">
      <div ref={host} role="group" aria-label={t.label} className="min-h-16" />
      {state === 'loading' && <Skeleton className="h-16 w-full" />}
      {state === 'failed' && (
        <Notice
          tone="warn"
          action={
            <Button size="small" icon={RotateCw} onClick={() => setAttempt(attempt + 1)}>
              {t.retry}
            </Button>
          }
        >
          <p role="alert">{t.failed(new URL(scripts[service]).host)}</p>
        </Notice>
      )}
      {tried && !token && state === 'shown' && (
        <p role="alert" className="text-sm text-danger">
          {t.missing}
        </p>
      )}
    </div>
  )
  return { field, token, ready: token !== '', renew }
}

/** The captcha of a button alone: it is shown once it is pressed, and what it asked for goes on when it is solved. */
export function Solve({ config, onSolved }: { config: Config; onSolved: (token: string) => void }) {
  const { field, token } = useCaptcha(config, false)
  const latest = useRef(onSolved)
  latest.current = onSolved
  useEffect(() => {
    if (token) latest.current(token)
  }, [token])
  return field
}
