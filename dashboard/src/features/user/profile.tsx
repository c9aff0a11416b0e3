import { useQueryClient } from '@tanstack/react-query'
import { Button } from '@/components/button'
import { DiffBar, type Change } from '@/components/diff'
import { Notice } from '@/components/state'
import { toast } from '@/components/toast'
import { asApiError } from '@/lib/api/error'
import { useDraft } from '@/lib/draft'
import { user as t } from '@/strings/user'
import { Facts } from './facts'
import { mergePatch, parseObject, show } from './metadata'
import { useChangeUser } from './mutations'
import { ProfileForm, type Values } from './profileform'
import { userQuery, type Detail } from './user'
import { phoneOf } from './words'

const p = t.profile

const presentOf = (u: Detail): Values => ({ email: u.email, phone: phoneOf(u.phone), role: u.role, user_metadata: show(u.user_metadata), app_metadata: show(u.app_metadata) })

const labels: Record<keyof Values, string> = { email: p.email, phone: p.phone, role: p.role, user_metadata: p.userMetadata, app_metadata: p.appMetadata }

/** What is wrong with what was typed, by field. */
function errorsOf(now: Values, before: Values): Partial<Values> {
  const errors: Partial<Values> = {}
  for (const name of ['email', 'phone', 'role'] as const) if (before[name] && !now[name].trim()) errors[name] = p.clear
  if (now.email && !/^\S+@\S+$/.test(now.email.trim())) errors.email = p.invalidEmail
  for (const name of ['user_metadata', 'app_metadata'] as const) {
    const { value, error } = parseObject(now[name])
    if (error) errors[name] = error
    else if (value && Object.values(mergePatch(parseObject(before[name]).value ?? {}, value)).includes(null) && Object.entries(value).some(([key, v]) => v === null && (parseObject(before[name]).value ?? {})[key] !== null)) errors[name] = p.conflict.nullValue
  }
  return errors
}

type Draft = { typed?: Partial<Values>; base?: Detail }

/** A profile that is edited: changes are shown before they are saved. */
export function Profile({ user, projectRef, mayWrite }: { user: Detail; projectRef: string; mayWrite: boolean }) {
  const queries = useQueryClient()
  const key = `user ${projectRef} ${user.id}`
  const [draft, setDraft] = useDraft<Draft>(key, {})
  const save = useChangeUser(projectRef, user.id)
  // While something is typed, the base is the version that it was typed upon.
  const { typed = {}, base = user } = draft
  const before = presentOf(base)
  const now = { ...before, ...typed }
  const errors = errorsOf(now, before)
  const changes = changesOf(before, now)
  const change = (name: keyof Values, value: string) => {
    const next = { ...typed, [name]: value }
    if (value === before[name]) delete next[name]
    setDraft(Object.keys(next).length > 0 ? { typed: next, base } : {})
  }
  const forget = () => {
    setDraft({})
    save.reset()
  }
  const submit = () => {
    if (Object.keys(errors).length > 0) return
    save.mutate(
      { ...bodyOf(before, now), updated_at: base.updated_at },
      {
        onSuccess: () => {
          forget()
          toast(p.saved)
        },
      },
    )
  }
  const stale = asApiError(save.error ?? undefined).status === 409
  const reload = async () => {
    const fresh = await queries.fetchQuery({ ...userQuery(projectRef, user.id), staleTime: 0 })
    setDraft({ typed, base: fresh })
    save.reset()
  }
  return (
    <>
      <Facts user={user} />
      <ProfileForm values={now} errors={errors} onChange={change} readOnly={!mayWrite} />
      <DiffBar changes={changes} blocked={stale || Object.keys(errors).length > 0} saving={save.isPending} error={stale ? undefined : save.error} onSave={submit} onDiscard={forget}>
        {Object.keys(errors).length > 0 && <p className="text-danger">{p.mend(Object.keys(errors).map((name) => labels[name as keyof Values]))}</p>}
        {stale && (
          <Notice tone="warn" action={<Button onClick={() => void reload()}>{p.conflict.reload}</Button>}>
            <div role="alert">
              <p className="font-medium">{p.conflict.title}</p>
              <p>{p.conflict.text}</p>
            </div>
          </Notice>
        )}
      </DiffBar>
      <div className="mb-10" />
    </>
  )
}

function changesOf(before: Values, now: Values): Change[] {
  const names = Object.keys(labels) as (keyof Values)[]
  return names.filter((name) => now[name] !== before[name]).map((name) => ({ name, label: labels[name], before: before[name], after: now[name] }))
}

/** What is sent: the fields that differ, and of metadata the members. */
function bodyOf(before: Values, now: Values) {
  const plain = (name: 'email' | 'phone' | 'role') => (now[name] === before[name] ? {} : { [name]: now[name].trim() })
  const metadata = (name: 'user_metadata' | 'app_metadata') => {
    const patch = mergePatch(parseObject(before[name]).value ?? {}, parseObject(now[name]).value ?? {})
    return Object.keys(patch).length === 0 ? {} : { [name]: patch }
  }
  return { ...plain('email'), ...plain('phone'), ...plain('role'), ...metadata('user_metadata'), ...metadata('app_metadata') }
}
