import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { Invitations } from '@/features/invitation/invitationspage'
import { membersQuery } from '@/features/member/members'
import { may, orgPermissionsQuery } from '@/features/permission/permissions'
import { projectsQuery } from '@/features/project/projects'

export const Route = createFileRoute('/_app/orgs/$slug/members/invitations')({ component: List })

function List() {
  const { slug } = Route.useParams()
  const permissions = useQuery(orgPermissionsQuery(slug))
  const members = useQuery(membersQuery(slug))
  const projects = useQuery(projectsQuery(slug))
  return (
    <Invitations
      slug={slug}
      mayWrite={may(permissions.data, 'member:write')}
      nameOf={(id) => members.data?.find((m) => m.user_id === id)?.user_name ?? id}
      projectName={(ref) => projects.data?.projects?.find((p) => p.ref === ref)?.name ?? ref}
    />
  )
}
