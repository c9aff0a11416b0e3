import { Button } from '@/components/button'
import { Copyable } from '@/components/copy'
import { Menu } from '@/components/menu'
import { Badge } from '@/components/state'
import { Time } from '@/components/time'
import { formatRelative } from '@/lib/format'
import { signingKeys as t } from '@/strings/signingkeys'
import { knownAt, moves, spentAt, type Move } from './moves'
import type { SigningKey } from './signingkeys'

type Props = { of: SigningKey; tokenLife: number | undefined; readOnly: boolean; onMove: (to: Move) => void }

/** A signing key: which, since when, until when, and where it may go next. */
export function KeyCard({ of: key, tokenLife, readOnly, onMove }: Props) {
  const [first, ...others] = readOnly ? [] : moves[key.status]
  return (
    <li className="space-y-2 rounded border border-line bg-surface p-3">
      <div className="flex items-center justify-between gap-2">
        <Badge tone={key.status === 'in_use' ? 'ok' : key.status === 'revoked' ? 'danger' : 'neutral'}>{key.algorithm}</Badge>
        {others.length > 0 && <Menu label={`${t.kid} ${key.id}`} items={others.map((to) => ({ label: t.moves[to], danger: to === 'delete', onSelect: () => onMove(to) }))} />}
      </div>
      <Copyable text={key.id} />
      <dl className="grid grid-cols-[auto_1fr] gap-x-3 gap-y-1 text-sm">
        <dt className="text-text-2">{t.since}</dt>
        <dd>
          <Time at={key.updated_at} />
        </dd>
        <dt className="text-text-2">{key.status === 'standby' ? t.ready : t.until}</dt>
        <dd>{until(key, tokenLife)}</dd>
      </dl>
      {first && (
        <Button size="small" className="w-full" onClick={() => onMove(first)}>
          {t.moves[first]}
        </Button>
      )}
    </li>
  )
}

function until(key: SigningKey, tokenLife: number | undefined): string {
  switch (key.status) {
    case 'in_use':
      return t.untils.in_use
    case 'standby': {
      const known = knownAt(key)
      return known > Date.now() ? t.untils.standbyWait(formatRelative(new Date(known))) : t.untils.standbyReady
    }
    case 'previously_used': {
      if (tokenLife === undefined) return '…'
      const spent = spentAt(key, tokenLife)
      return spent > Date.now() ? t.untils.previously(formatRelative(new Date(spent))) : t.untils.previouslyOver
    }
    case 'revoked':
      return t.untils.revoked
  }
}
