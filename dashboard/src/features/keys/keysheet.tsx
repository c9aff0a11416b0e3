import { Link } from '@tanstack/react-router'
import { RefreshCw, Trash2 } from 'lucide-react'
import { Button } from '@/components/button'
import { Chart } from '@/components/chart'
import { Copyable, SecretField } from '@/components/copy'
import { Sheet } from '@/components/dialog'
import { KeyValue, KeyValues } from '@/components/page'
import { Badge, EmptyState, Notice } from '@/components/state'
import { Time } from '@/components/time'
import { formatExact, formatNumber } from '@/lib/format'
import { keys as t } from '@/strings/keys'
import type { Key } from './keys'
import { daily, type KeyUse } from './usage'

type Props = {
  projectRef: string
  /** null when the address names a key that is gone. */
  shown: Key | null
  use: KeyUse | undefined
  readOnly: boolean
  onClose: () => void
  onRotate: (key: Key) => void
  onEdit: (key: Key) => void
  onDelete: (key: Key) => void
}

/** The details of a key, and who still uses it. */
export function KeySheet({ projectRef, shown, use, readOnly, onClose, onRotate, onEdit, onDelete }: Props) {
  const changeable = !readOnly && shown !== null && shown.type !== 'legacy'
  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      title={shown?.name ?? t.title}
      description={shown ? t.types[shown.type] : undefined}
      footer={
        changeable && (
          <>
            <Button icon={Trash2} onClick={() => onDelete(shown)}>
              {t.menu.delete}
            </Button>
            {!shown.replaced_by && (
              <>
                <Button onClick={() => onEdit(shown)}>{t.menu.edit}</Button>
                <Button icon={RefreshCw} onClick={() => onRotate(shown)}>
                  {t.menu.rotate}
                </Button>
              </>
            )}
          </>
        )
      }
    >
      {shown === null ? <EmptyState title={t.detail.gone} /> : <Detail projectRef={projectRef} shown={shown} use={use} />}
    </Sheet>
  )
}

function Detail({ projectRef, shown, use }: { projectRef: string; shown: Key; use: KeyUse | undefined }) {
  const points = daily(use, 30)
  const total = points.reduce((sum, p) => sum + p.count, 0)
  const over = shown.expires_at ? Date.parse(shown.expires_at) < Date.now() : false
  return (
    <div className="space-y-6">
      {shown.replaced_by && (
        <Notice
          tone="warn"
          action={
            <Link to="/p/$ref/keys" params={{ ref: projectRef }} search={{ key: shown.replaced_by }} className="font-medium text-accent hover:underline">
              {t.detail.showNew}
            </Link>
          }
        >
          {over || !shown.expires_at ? t.detail.overlapOver : t.detail.overlap(formatExact(shown.expires_at))}
        </Notice>
      )}
      <KeyValues>
        <KeyValue label={t.detail.key}>{shown.type === 'legacy' && shown.api_key ? <SecretField label={shown.name} value={shown.api_key} /> : shown.api_key ? <Copyable text={shown.api_key} /> : <span className="font-mono text-sm">{shown.prefix}…</span>}</KeyValue>
        {shown.description && <KeyValue label={t.detail.description}>{shown.description}</KeyValue>}
        {shown.type === 'secret' && (
          <KeyValue label={t.detail.scopes}>
            {shown.scopes ? (
              <ul className="space-y-1">
                {shown.scopes.map((s) => (
                  <li key={s}>
                    <Badge>{s}</Badge> <span className="text-sm text-text-2">{t.scopeTexts[s]}</span>
                  </li>
                ))}
              </ul>
            ) : (
              t.everything
            )}
          </KeyValue>
        )}
        <KeyValue label={t.detail.networks}>{shown.allowed_networks ? <span className="font-mono text-sm">{shown.allowed_networks.join(', ')}</span> : t.anywhere}</KeyValue>
        {shown.type !== 'legacy' && <KeyValue label={t.detail.expires}>{shown.expires_at ? <Time at={shown.expires_at} /> : t.never}</KeyValue>}
        {shown.inserted_at && (
          <KeyValue label={t.detail.created}>
            <Time at={shown.inserted_at} />
          </KeyValue>
        )}
        {shown.id && (
          <KeyValue label={t.detail.id}>
            <Copyable text={shown.id} />
          </KeyValue>
        )}
      </KeyValues>
      <section aria-labelledby="key-usage">
        <h3 id="key-usage" className="mb-1 text-lg font-semibold">
          {t.detail.usage}
        </h3>
        {use?.last_used_at && (
          <KeyValues>
            <KeyValue label={t.detail.lastUsed}>
              <Time at={use.last_used_at} />
            </KeyValue>
            <KeyValue label={t.detail.ip}>{use.last_ip ? <Copyable text={use.last_ip} /> : <span className="text-text-2">{t.detail.ipHidden}</span>}</KeyValue>
            {use.last_sdk && (
              <KeyValue label={t.detail.sdk}>
                {use.last_sdk} {use.last_sdk_version}
              </KeyValue>
            )}
            {use.last_user_agent && (
              <KeyValue label={t.detail.agent}>
                <span className="font-mono text-sm">{use.last_user_agent}</span>
              </KeyValue>
            )}
          </KeyValues>
        )}
        {total > 0 ? (
          <div className="mt-3">
            <p className="tabular mb-1 text-sm text-text-2">{t.detail.total(formatNumber(total))}</p>
            <Chart label={t.detail.chart} points={points} series={[{ key: 'count', label: t.detail.chart }]} height={160} />
          </div>
        ) : (
          <p className="text-text-2">{t.detail.unused}</p>
        )}
      </section>
    </div>
  )
}
