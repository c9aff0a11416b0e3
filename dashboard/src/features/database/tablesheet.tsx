import { ShieldAlert } from 'lucide-react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { Copyable } from '@/components/copy'
import { Sheet } from '@/components/dialog'
import { KeyValue, KeyValues } from '@/components/page'
import { Badge, EmptyState, Notice } from '@/components/state'
import { database } from '@/strings/database'
import { Rls } from './rls'
import { exposed, nameOf, quoted, sqlName, type DatabaseTable } from './tables'

const t = database.tables
const d = t.detail

type Props = { shown: DatabaseTable | undefined; onClose: () => void; onSql: (sql: string, as?: 'anon') => void }

/** A table: columns, policies, grants. */
export function TableSheet({ shown, onClose, onSql }: Props) {
  const select = shown && `select * from ${sqlName(shown)} limit 100;`
  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      title={shown ? nameOf(shown) : t.title}
      description={shown?.comment || undefined}
      footer={
        select && (
          <>
            <Button onClick={() => onSql(select, 'anon')}>{d.tryAs}</Button>
            <Button kind="primary" onClick={() => onSql(select)}>
              {d.query}
            </Button>
          </>
        )
      }
    >
      {shown ? <Detail of={shown} /> : <EmptyState title={d.gone} />}
    </Sheet>
  )
}

function Detail({ of: table }: { of: DatabaseTable }) {
  const policies = table.policies ?? []
  return (
    <div className="space-y-6">
      {exposed(table) && (
        <Notice tone="danger" icon={ShieldAlert}>
          {d.exposed}
        </Notice>
      )}
      <KeyValues>
        <KeyValue label={t.columns.kind}>{table.kind}</KeyValue>
        <KeyValue label={t.columns.rls}>
          <Rls of={table} />
        </KeyValue>
        <KeyValue label={d.owner}>
          <Copyable text={table.owner} />
        </KeyValue>
      </KeyValues>
      <section>
        <h3 className="mb-1 font-semibold">{d.policies}</h3>
        {policies.length === 0 ? (
          <p className="text-text-2">{table.rls_enabled ? d.none : d.noneOff}</p>
        ) : (
          <ul className="space-y-3">
            {policies.map((p) => (
              <li key={p.name}>
                <CodeBlock label={p.name} code={policySql(table, p)} />
              </li>
            ))}
          </ul>
        )}
      </section>
      <section>
        <h3 className="mb-1 font-semibold">{d.grants}</h3>
        <KeyValues>
          {(['anon', 'authenticated', 'service_role'] as const).map((role) => (
            <KeyValue key={role} label={<span className="font-mono text-sm">{role}</span>}>
              {(table.grants[role] ?? []).length === 0 ? <span className="text-text-3">{t.nothing}</span> : (table.grants[role] ?? []).join(', ')}
            </KeyValue>
          ))}
        </KeyValues>
      </section>
      <section>
        <h3 className="mb-1 font-semibold">{d.columns}</h3>
        <ul className="divide-y divide-line">
          {(table.columns ?? []).map((c) => (
            <li key={c.name} className="py-1.5">
              <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
                <span className="font-mono text-sm font-medium break-all">{c.name}</span>
                <span className="font-mono text-sm text-text-2">{c.type}</span>
                {c.primary_key && <Badge tone="info">{d.primary}</Badge>}
                {!c.nullable && !c.primary_key && <Badge>{d.notNull}</Badge>}
                {c.identity && <Badge>{d.identity}</Badge>}
                {c.generated && <Badge>{d.generated}</Badge>}
              </p>
              {c.default && <p className="font-mono text-xs break-all text-text-2">= {c.default}</p>}
            </li>
          ))}
        </ul>
      </section>
    </div>
  )
}

/** The statement that makes a policy. */
function policySql(table: DatabaseTable, p: NonNullable<DatabaseTable['policies']>[number]) {
  const lines = [`create policy ${quoted(p.name)} on ${sqlName(table)}`]
  if (!p.permissive) lines.push('  as restrictive')
  lines.push(`  for ${p.command.toLowerCase()} to ${(p.roles ?? []).map((r) => (r === 'public' ? r : quoted(r))).join(', ') || 'public'}`)
  if (p.using !== null) lines.push(`  using (${p.using})`)
  if (p.with_check !== null) lines.push(`  with check (${p.with_check})`)
  return `${lines.join('\n')};`
}
