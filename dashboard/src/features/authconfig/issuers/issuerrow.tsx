import { Button } from '@/components/button'
import { Copyable } from '@/components/copy'
import { ProviderLogo } from '@/components/providerlogo'
import { Badge } from '@/components/state'
import { Time } from '@/components/time'
import { issuers as t } from '@/strings/issuers'
import type { Issuer } from './issuers'
import { keysOf, kindOfKey, nameOf, presetOf } from './presets'

/** An issuer: where its tokens come from, whom they must be for, and its keys. */
export function IssuerRow({ issuer, onRemove }: { issuer: Issuer; onRemove?: () => void }) {
  const preset = presetOf(issuer)
  const keys = keysOf(issuer.resolved_jwks)
  const address = issuer.oidc_issuer_url ?? issuer.jwks_url
  const named = t.presets[preset].name
  return (
    <li className="px-4 py-3">
      <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <ProviderLogo id={preset} name={named} />
        <div className="min-w-0 flex-1 basis-56">
          <p className="font-medium">
            {named} <Badge tone={issuer.audiences.length > 0 ? 'neutral' : 'warn'}>{issuer.audiences.length > 0 ? t.for(issuer.audiences.join(', ')) : t.any}</Badge>
          </p>
          {address && <Copyable text={address} />}
          <p className="text-sm text-text-2">
            {keys.length > 0 ? t.keys(keys.length) : t.noKeys}
            {keys.length > 0 && `: ${[...new Set(keys.map(kindOfKey))].join(', ')}`}
            {' · '}
            {preset === 'custom' ? (
              t.given
            ) : (
              <>
                {t.fetched} <Time at={issuer.resolved_at} />
              </>
            )}
            {' · '}
            {t.added.toLowerCase()} <Time at={issuer.inserted_at} />
          </p>
        </div>
        {onRemove && (
          <Button size="small" aria-label={`${t.remove} ${nameOf(issuer)}`} onClick={onRemove}>
            {t.remove}
          </Button>
        )}
      </div>
      {keys.length > 0 && (
        <details className="mt-2">
          <summary className="cursor-pointer text-sm text-text-2 hover:text-text">{t.showKeys}</summary>
          <p className="mt-2 text-sm text-text-2">{preset === 'custom' ? '' : t.keysText}</p>
          <ul className="mt-2 divide-y divide-line border-y border-line">
            {keys.map((key, i) => (
              <li key={i} className="flex flex-wrap items-center gap-x-4 py-1.5">
                <span className="w-28 shrink-0">{kindOfKey(key)}</span>
                {typeof key.kid === 'string' ? <Copyable text={key.kid} className="flex-1" /> : <span className="text-text-2">{t.noKid}</span>}
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  )
}
