import { useQueries } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ChevronRight } from 'lucide-react'
import { Card } from '@/components/page'
import { Badge } from '@/components/state'
import { templates as t } from '@/strings/templates'
import { settings as words } from '@/strings/settings'
import { PageHead } from '../page'
import { useSettings } from '../settings'
import { builtinQuery, kinds } from './builtin'

/** The names of the settings of a kind of mail. */
export const namesOf = (kind: string) => ({ subject: `mailer_subjects_${kind}`, content: `mailer_templates_${kind}_content` })

/** The kinds of mail, each with its subject. */
export function TemplatesPage() {
  const { ref, value } = useSettings()
  const page = words.pages.templates
  const builtin = useQueries({ queries: kinds.map((kind) => builtinQuery(ref, kind)) })
  return (
    <>
      <PageHead title={page?.label ?? ''} description={page?.description} />
      <Card>
        <ul className="divide-y divide-line">
          {kinds.map((kind, i) => {
            const names = namesOf(kind)
            const own = Boolean(value(names.subject) || value(names.content))
            return (
              <li key={kind} className="relative flex items-center gap-3 px-4 py-3 hover:bg-sunken">
                <div className="min-w-0 flex-1">
                  <Link to="/p/$ref/auth/templates/$kind" params={{ ref, kind }} className="font-medium after:absolute after:inset-0">
                    {words.mails[kind]}
                  </Link>
                  <p className="text-sm text-text-2">{t.when[kind]}</p>
                  <p className="truncate font-mono text-sm text-text-3">{String(value(names.subject) || (builtin[i]?.data?.subject ?? '…'))}</p>
                </div>
                <Badge tone={own ? 'info' : 'neutral'}>{own ? t.own : t.builtin}</Badge>
                <ChevronRight className="size-4 shrink-0 text-text-3" strokeWidth={1.5} aria-hidden />
              </li>
            )
          })}
        </ul>
      </Card>
    </>
  )
}
