import { useQuery } from '@tanstack/react-query'
import { createFileRoute, Outlet } from '@tanstack/react-router'
import { UserPlus } from 'lucide-react'
import { useState } from 'react'
import { Button } from '@/components/button'
import { Page } from '@/components/page'
import { TabLinks } from '@/components/tabs'
import { InviteDialog } from '@/features/invitation/invitedialog'
import { RoleChoice } from '@/features/member/roleofmember'
import { may, orgPermissionsQuery } from '@/features/permission/permissions'
import { projectsQuery } from '@/features/project/projects'
import { rolesQuery } from '@/features/role/roles'
import { team } from '@/strings/team'

export const Route = createFileRoute('/_app/orgs/$slug/members')({ component: Team })

function Team() {
  const { slug } = Route.useParams()
  const [inviting, setInviting] = useState(false)
  const permissions = useQuery(orgPermissionsQuery(slug))
  const roles = useQuery(rolesQuery(slug))
  const projects = useQuery(projectsQuery(slug))
  const mayWrite = may(permissions.data, 'member:write')
  return (
    <Page
      wide
      title={team.title}
      description={team.description}
      action={
        mayWrite && (
          <Button kind="primary" icon={UserPlus} onClick={() => setInviting(true)}>
            {team.invite}
          </Button>
        )
      }
    >
      <TabLinks
        label={team.tabs.label}
        tabs={[
          { to: '/orgs/$slug/members', params: { slug }, label: team.tabs.members, exact: true },
          { to: '/orgs/$slug/members/invitations', params: { slug }, label: team.tabs.invitations },
          { to: '/orgs/$slug/members/roles', params: { slug }, label: team.tabs.roles },
        ]}
      />
      <Outlet />
      {inviting && (
        <InviteDialog
          slug={slug}
          projects={projects.data?.projects ?? []}
          onClose={() => setInviting(false)}
          roleChoice={(role, onChange) => <RoleChoice name="invite-role" roles={roles.data ?? []} value={role} onChange={onChange} />}
        />
      )}
    </Page>
  )
}
