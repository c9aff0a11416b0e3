import { useQuery } from '@tanstack/react-query'
import { TriangleAlert } from 'lucide-react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Notice } from '@/components/state'
import { toast } from '@/components/toast'
import { common } from '@/strings/common'
import { sso } from '@/strings/sso'
import { overviewQuery, useEnableSAML } from './sso'

/** Says that SAML is off, where it is, and switches it on. */
export function Enable({ projectRef: ref, mayWrite }: { projectRef: string; mayWrite: boolean }) {
  const { data } = useQuery(overviewQuery(ref))
  const enable = useEnableSAML(ref)
  if (!data || data.saml_enabled) return null
  return (
    <div className="mb-5 space-y-2">
      <Notice
        tone="warn"
        icon={TriangleAlert}
        action={
          <Button size="small" busy={enable.isPending} disabled={!mayWrite} title={mayWrite ? undefined : common.notAllowed} onClick={() => enable.mutate(undefined, { onSuccess: () => toast(sso.off.done) })}>
            {sso.off.on}
          </Button>
        }
      >
        {sso.off.text}
      </Notice>
      {enable.error && <ErrorNote error={enable.error} />}
    </div>
  )
}
