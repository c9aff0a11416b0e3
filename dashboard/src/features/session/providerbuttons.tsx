import { useMutation } from '@tanstack/react-query'
import { Button } from '@/components/button'
import { ProviderLogo } from '@/components/providerlogo'
import { providers } from '@/strings/providers'
import { signIn as t } from '@/strings/signin'
import { Explained } from './explained'
import { leaveForProvider, providersOf, type Config } from './platform'

/** The identity providers by which people may sign in, and a line below them. */
export function ProviderButtons({ config, next }: { config: Config; next?: string }) {
  const leave = useMutation({ mutationFn: (provider: string) => leaveForProvider(config, provider, next) })
  const all = providersOf(config).map(({ id, name }) => ({ id, name: name ?? providers.known[id]?.name ?? id }))
  return (
    <>
      <ul className="space-y-2">
        {all.map(({ id, name }) => (
          <li key={id}>
            <Button className="w-full min-w-0" busy={leave.isPending && leave.variables === id} disabled={leave.isPending} onClick={() => leave.mutate(id)}>
              <ProviderLogo id={id} name={name} small />
              <span className="truncate" dir="auto">
                {t.with(name)}
              </span>
            </Button>
          </li>
        ))}
      </ul>
      {leave.error && <Explained error={leave.error} />}
      {config.auth.methods.email && (
        <p className="flex items-center gap-3 text-sm text-text-2 before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line" aria-hidden>
          {t.or}
        </p>
      )}
    </>
  )
}
