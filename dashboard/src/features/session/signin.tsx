import { Button } from '@/components/button'
import { signIn } from '@/strings/signin'
import { useState } from 'react'
import { Frame } from './frame'

/** The sign-in page. */
export function SignIn(_: { next?: string }) {
  const [printed, setPrinted] = useState(false)
  return (
    <Frame title={signIn.title}>
      <section className="space-y-3">
        <h2 className="font-medium">{signIn.dev.title}</h2>
        <p className="text-text-2">{signIn.dev.text}</p>
        <Button onClick={() => void fetch('/dev/link', { method: 'POST', headers: { Accept: 'text/html' } }).then((r) => setPrinted(r.ok))}>{signIn.dev.print}</Button>
        {printed && <p role="status">{signIn.dev.printed}</p>}
      </section>
    </Frame>
  )
}
