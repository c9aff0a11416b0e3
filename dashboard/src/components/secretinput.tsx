import { Eye, EyeOff, Undo2 } from 'lucide-react'
import { useState, type ComponentProps } from 'react'
import { common } from '@/strings/common'
import { Button, IconButton } from './button'
import { Input } from './input'
import { Badge } from './state'

type Props = Omit<ComponentProps<'input'>, 'value' | 'onChange' | 'type'> & {
  /** What the server shows in place of the secret, true if it shows nothing; empty when there is none. */
  fingerprint?: string | true
  /** The new secret; undefined while it is not replaced, empty to remove it. */
  value: string | undefined
  onChange: (value: string | undefined) => void
  /** Whether it has to stay: it can be replaced and not removed. */
  keep?: boolean
}

/** A secret that can be replaced or removed, never read. */
export function SecretInput({ fingerprint, value, onChange, keep, disabled, ...rest }: Props) {
  const [typing, setTyping] = useState(false)
  const [shown, show] = useState(false)
  const t = common.secret
  if (fingerprint && !typing && !value) {
    return (
      <span className="flex min-w-0 flex-1 flex-wrap items-center gap-2">
        <Badge tone={value === '' ? 'warn' : 'ok'}>{value === '' ? t.removed : t.set}</Badge>
        {value === undefined && fingerprint !== true && <code className="font-mono text-sm text-text-2" title={t.fingerprint}>{fingerprint.slice(0, 8)}…</code>}
        <span className="flex gap-1">
          <Button id={rest.id} size="small" disabled={disabled} aria-describedby={rest['aria-describedby']} onClick={() => setTyping(true)}>
            {t.replace}
          </Button>
          {value === undefined ? !keep && (
            <Button size="small" kind="quiet" disabled={disabled} onClick={() => onChange('')}>
              {t.remove}
            </Button>
          ) : (
            <Button size="small" kind="quiet" onClick={() => onChange(undefined)}>
              {t.keep}
            </Button>
          )}
        </span>
      </span>
    )
  }
  return (
    <span className="flex min-w-0 flex-1 items-center gap-1">
      <Input
        {...rest}
        type={shown ? 'text' : 'password'}
        className="font-mono"
        value={value ?? ''}
        disabled={disabled}
        autoComplete="new-password"
        spellCheck={false}
        autoFocus={typing}
        placeholder={fingerprint ? t.replacement : t.none}
        onChange={(event) => onChange(event.target.value || undefined)}
      />
      <IconButton icon={shown ? EyeOff : Eye} label={shown ? common.hide : common.reveal} onClick={() => show(!shown)} />
      {fingerprint && (
        <IconButton
          icon={Undo2}
          label={t.keep}
          onClick={() => {
            setTyping(false)
            onChange(undefined)
          }}
        />
      )}
    </span>
  )
}
