import { useMutation } from '@tanstack/react-query'
import { Button } from '@/components/button'
import { signIn } from '@/strings/signin'

/** In development: the terminal shows a link that signs the operator in. */
export function DevLink() {
  const t = signIn.dev
  const print = useMutation({ mutationFn: async () => (await fetch('/dev/link', { method: 'POST', headers: { Accept: 'text/html' } })).ok })
  return (
    <section aria-labelledby="dev-link" className="space-y-3 border-b border-line pb-6">
      <h2 id="dev-link" className="font-medium">
        {t.title}
      </h2>
      <p className="text-text-2">{t.text}</p>
      <Button kind="primary" className="w-full" busy={print.isPending} onClick={() => print.mutate()}>
        {t.print}
      </Button>
      {print.isSuccess && <p role="status">{print.data ? t.printed : t.failed}</p>}
    </section>
  )
}
