import { useQuery } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { buttonClass } from '@/components/button'
import { Copyable } from '@/components/copy'
import { ErrorNote } from '@/components/error'
import { Card, KeyValue, KeyValues } from '@/components/page'
import { Skeleton } from '@/components/state'
import { sso } from '@/strings/sso'
import { overviewQuery } from './sso'

const t = sso.values

/** What is entered at an identity provider. */
export function Values({ projectRef: ref }: { projectRef: string }) {
  const { data, error } = useQuery(overviewQuery(ref))
  if (error) return <ErrorNote error={error} />
  const sp = data?.service_provider
  const value = (text: string | undefined) => (text ? <Copyable text={text} /> : <Skeleton className="h-4 w-72 max-w-full" />)
  return (
    <Card className="px-4">
      <KeyValues>
        <KeyValue label={t.entityId}>{value(sp?.entity_id)}</KeyValue>
        <KeyValue label={t.acs}>{value(sp?.acs_url)}</KeyValue>
        <KeyValue label={t.logout}>{value(sp?.logout_url)}</KeyValue>
        <KeyValue label={t.nameId}>{t.nameIdText}</KeyValue>
      </KeyValues>
      {sp && data.saml_enabled && (
        <p className="border-t border-line py-3">
          <a href={`${sp.metadata_url}?download=true`} className={buttonClass('secondary', 'small')}>
            <Download className="size-4" strokeWidth={1.5} aria-hidden />
            {t.download}
          </a>
        </p>
      )}
    </Card>
  )
}
