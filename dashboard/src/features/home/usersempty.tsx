import { useQuery } from '@tanstack/react-query'
import { Users } from 'lucide-react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { EmptyState, Skeleton } from '@/components/state'
import { users as t } from '@/strings/users'
import { connectQuery } from './connect'
import { snippets } from './snippet'

/** The users' page of a project without users: how an app gets its first one. */
export function UsersEmpty({ projectRef, onCreate }: { projectRef: string; onCreate?: () => void }) {
  const connect = useQuery(connectQuery(projectRef))
  return (
    <EmptyState
      icon={Users}
      title={t.empty.title}
      action={
        onCreate && (
          <Button kind="primary" onClick={onCreate}>
            {t.empty.action}
          </Button>
        )
      }
    >
      <p>{t.empty.text}</p>
      {connect.data ? <CodeBlock code={snippets(connect.data)} /> : <Skeleton className="h-64 w-full" />}
    </EmptyState>
  )
}
