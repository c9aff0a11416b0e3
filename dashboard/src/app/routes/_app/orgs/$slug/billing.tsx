import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { IconButton } from '@/components/button'
import { Page } from '@/components/page'
import { billQuery } from '@/features/billing/billing'
import { Billing } from '@/features/billing/billingpage'
import { formatDay } from '@/lib/format'
import { billing as t } from '@/strings/billing'

type Search = { period?: string; project?: string }

export const Route = createFileRoute('/_app/orgs/$slug/billing')({
  validateSearch: (search): Search => ({
    ...(typeof search.period === 'string' && /^\d{4}-\d\d-\d\d$/.test(search.period) && { period: search.period }),
    ...(typeof search.project === 'string' && /^[a-z]{20}$/.test(search.project) && { project: search.project }),
  }),
  component: BillingRoute,
})

function BillingRoute() {
  const { slug } = Route.useParams()
  const { period, project } = Route.useSearch()
  const navigate = Route.useNavigate()
  const bill = useQuery(billQuery(slug, period)).data
  const go = (to: string | undefined) => void navigate({ search: to ? { period: to } : {}, replace: true })
  return (
    <Page
      title={t.title}
      description={t.description}
      action={
        bill && (
          <div className="flex items-center gap-1">
            <IconButton icon={ChevronLeft} label={t.previous} disabled={!bill.previous} onClick={() => go(bill.previous)} />
            <span className="px-2 text-sm tabular-nums">{t.span(formatDay(bill.period.start), formatDay(new Date(Date.parse(bill.period.end) - 1)))}</span>
            <IconButton icon={ChevronRight} label={t.next} disabled={!bill.next} onClick={() => go(bill.next)} />
          </div>
        )
      }
    >
      <Billing slug={slug} period={period} open={project} onOpen={(ref) => void navigate({ search: { period, ...(ref && { project: ref }) } })} />
    </Page>
  )
}
