import { TabLinks } from '@/components/tabs'
import { database } from '@/strings/database'

/** Leads between the pages of the database. */
export function DatabaseTabs({ projectRef: ref }: { projectRef: string }) {
  const t = database.tabs
  const params = { ref }
  return (
    <TabLinks
      label={t.label}
      tabs={[
        { to: '/p/$ref/database', params, label: t.sql, exact: true },
        { to: '/p/$ref/database/tables', params, label: t.tables },
        { to: '/p/$ref/database/advisors', params, label: t.advisors },
        { to: '/p/$ref/database/migrations', params, label: t.migrations },
        { to: '/p/$ref/database/connection', params, label: t.connection },
      ]}
    />
  )
}
