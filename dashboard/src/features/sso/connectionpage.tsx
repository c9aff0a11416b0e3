import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense, type ReactNode } from 'react'
import { ErrorState } from '@/components/error'
import { Page } from '@/components/page'
import { Skeleton } from '@/components/state'
import { Tabs } from '@/components/tabs'
import { sso as t } from '@/strings/sso'
import { Danger } from './danger'
import { Enable } from './enable'
import { General } from './general'
import { State } from './listpage'
import { Overview } from './overview'
import { connectionQuery } from './sso'

const Directory = lazy(() => import('./directory').then((m) => ({ default: m.Directory })))
const Domains = lazy(() => import('./domains').then((m) => ({ default: m.Domains })))
const MappingForm = lazy(() => import('./mapping').then((m) => ({ default: m.MappingForm })))
const RulesForm = lazy(() => import('./rules').then((m) => ({ default: m.RulesForm })))
const SignIns = lazy(() => import('./signins').then((m) => ({ default: m.SignIns })))

export const tabs = ['overview', 'domains', 'rules', 'mapping', 'signins', 'directory'] as const
export type Tab = (typeof tabs)[number]

type Props = { projectRef: string; id: string; tab?: Tab; attempt?: string; onSearch: (search: { tab?: Tab; attempt?: string }) => void; mayWrite: boolean; mayReadUsers: boolean; mayWriteUsers: boolean }

/** One connection: what it is and does, its rules, its attributes and who has signed in by it. */
export function ConnectionPage({ projectRef: ref, id, tab = 'overview', attempt, onSearch, mayWrite, mayReadUsers, mayWriteUsers }: Props) {
  const { data: c, error, refetch } = useQuery(connectionQuery(ref, id))
  const crumbs = [<Link key="sso" to="/p/$ref/sso" params={{ ref }}>{t.title}</Link>]
  if (error && !c) return <ErrorState error={error} onRetry={() => void refetch()} />
  if (!c)
    return (
      <Page title={t.title} crumbs={crumbs}>
        <Skeleton className="mb-5 h-9 w-full" />
        <Skeleton className="h-80 w-full" />
      </Page>
    )
  const content: Record<Tab, ReactNode> = {
    overview: (
      <>
        <Overview projectRef={ref} connection={c} mayWrite={mayWrite} />
        <General projectRef={ref} connection={c} mayWrite={mayWrite} />
        <Danger projectRef={ref} connection={c} mayWrite={mayWrite} />
      </>
    ),
    domains: <Domains projectRef={ref} id={id} mayWrite={mayWrite} />,
    directory: <Directory projectRef={ref} id={id} mayWrite={mayWrite} mayReadUsers={mayReadUsers} mayWriteUsers={mayWriteUsers} />,
    rules: <RulesForm projectRef={ref} connection={c} mayWrite={mayWrite} />,
    mapping: <MappingForm projectRef={ref} connection={c} mayWrite={mayWrite} />,
    signins: <SignIns projectRef={ref} connection={c} open={attempt} onOpen={(attempt) => onSearch({ tab: 'signins', attempt })} mayRead={mayReadUsers} mayWrite={mayWrite} />,
  }
  return (
    <Page title={c.label} crumbs={crumbs} action={<State connection={c} />}>
      <Enable projectRef={ref} mayWrite={mayWrite} />
      <Tabs label={c.label} value={tab} onChange={(next) => onSearch({ tab: tabs.find((known) => known === next) })} tabs={tabs.map((value) => ({ value, label: t.tabs[value], content: <Suspense fallback={<Skeleton className="h-80 w-full" />}>{content[value]}</Suspense> }))} />
    </Page>
  )
}
