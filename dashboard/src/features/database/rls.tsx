import { Status } from '@/components/state'
import { database } from '@/strings/database'
import { exposed, type DatabaseTable } from './tables'

const t = database.tables.rls

/** Whether row level security protects a table; views have none of their own. */
export function Rls({ of: table }: { of: DatabaseTable }) {
  if (!table.kind.includes('table')) return <span className="text-text-3">–</span>
  if (exposed(table)) return <Status tone="danger">{t.open}</Status>
  return table.rls_enabled ? <Status tone="ok">{table.rls_forced ? t.forced : t.on}</Status> : <Status tone="neutral">{t.off}</Status>
}
