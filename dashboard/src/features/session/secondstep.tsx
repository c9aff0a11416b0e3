import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { signIn } from '@/strings/signin'
import { Explained } from './explained'
import { Frame } from './frame'
import { enter, proveFactor, type Config, type Tokens } from './platform'

type Props = { config: Config; tokens: Tokens; onDone: () => void; onOther: () => void }

/** SecondStep as a page. */
export function SecondStepPage(props: Props) {
  return (
    <Frame title={signIn.second.title}>
      <SecondStep {...props} />
    </Frame>
  )
}

/** The second step of a sign-in: a code of the authenticator app, or a recovery code. */
export function SecondStep({ config, tokens, onDone, onOther }: Props) {
  const t = signIn.second
  const [code, setCode] = useState('')
  const [recovery, setRecovery] = useState(false)
  const prove = useMutation({
    gcTime: 0,
    mutationFn: async () => enter(await proveFactor(config, tokens, code.trim(), recovery)),
    onSuccess: onDone,
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (code.trim()) prove.mutate()
  }
  return (
    <div className="space-y-4">
      <form className="space-y-4" onSubmit={submit}>
        <Field label={recovery ? t.recovery : t.code} help={recovery ? t.recoveryHelp : t.codeHelp}>
          {(f) => <Input key={String(recovery)} {...f} autoFocus inputMode={recovery ? 'text' : 'numeric'} autoComplete="one-time-code" value={code} maxLength={64} onChange={(e) => setCode(e.target.value)} />}
        </Field>
        {prove.error && <Explained error={prove.error} />}
        <Button kind="primary" type="submit" busy={prove.isPending} className="w-full">
          {t.submit}
        </Button>
      </form>
      <div className="flex flex-wrap justify-between gap-2">
        <Button
          kind="quiet"
          size="small"
          onClick={() => {
            setRecovery(!recovery)
            setCode('')
            prove.reset()
          }}
        >
          {recovery ? t.useApp : t.useRecovery}
        </Button>
        <Button kind="quiet" size="small" onClick={onOther}>
          {signIn.link.other}
        </Button>
      </div>
    </div>
  )
}
