import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { Button } from '@/components/button'
import { Page } from '@/components/page'
import { membersQuery } from '@/features/member/members'
import { allPermissionsQuery, may, orgPermissionsQuery } from '@/features/permission/permissions'
import { projectsQuery } from '@/features/project/projects'
import { PermissionList } from '@/features/role/permissionlist'
import { CreateToken } from '@/features/servicetoken/createtoken'
import { ServiceTokens } from '@/features/servicetoken/tokenspage'
import { tokens } from '@/strings/tokens'

export const Route = createFileRoute('/_app/orgs/$slug/tokens')({ component: Tokens })

function Tokens() {
  const { slug } = Route.useParams()
  const [creating, setCreating] = useState(false)
  const permissions = useQuery(orgPermissionsQuery(slug))
  const members = useQuery(membersQuery(slug))
  const projects = useQuery(projectsQuery(slug))
  const known = useQuery(allPermissionsQuery)
  const mayWrite = may(permissions.data, 'service_token:write')
  const all = (known.data ?? []).filter((p) => p.for_service_tokens && may(permissions.data, p.name))
  const create = mayWrite ? (
    <Button kind="primary" icon={Plus} onClick={() => setCreating(true)}>
      {tokens.create}
    </Button>
  ) : undefined
  return (
    <Page wide title={tokens.title} description={tokens.description} action={create}>
      <ServiceTokens
        slug={slug}
        mayWrite={mayWrite}
        create={create}
        nameOf={(id) => members.data?.find((m) => m.user_id === id)?.user_name ?? id}
        projectName={(ref) => projects.data?.projects?.find((p) => p.ref === ref)?.name ?? ref}
      />
      {creating && (
        <CreateToken
          slug={slug}
          projects={projects.data?.projects ?? []}
          onClose={() => setCreating(false)}
          permissionChoice={(chosen, onChange) => <PermissionList all={all} chosen={chosen} onChange={onChange} />}
        />
      )}
    </Page>
  )
}
