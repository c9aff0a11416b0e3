import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ChevronsUpDown, CircleUser, LogOut, Monitor, Moon, ServerCog, Sun } from 'lucide-react'
import { Menu } from '@/components/menu'
import { toastError } from '@/components/toast'
import { endSession } from '@/lib/session'
import { setTheme } from '@/lib/theme'
import { profileQuery } from '@/features/session/profile'
import { shell } from '@/strings/shell'

/** The person's own menu, at the foot of the rail. */
export function AccountMenu({ email }: { email: string }) {
  const navigate = useNavigate()
  const profile = useQuery(profileQuery)
  const signOut = async () => {
    try {
      await endSession()
      // A page of its own: nothing of the session stays in memory, and nothing asks for more.
      window.location.assign('/sign-in')
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <Menu
      align="start"
      items={[
        { label: shell.account, icon: CircleUser, onSelect: () => void navigate({ to: '/account' }) },
        ...(profile.data?.operator ? [{ label: shell.operator, icon: ServerCog, onSelect: () => void navigate({ to: '/operator' }) }] : []),
        'separator',
        { label: shell.theme.system, icon: Monitor, onSelect: () => setTheme('system') },
        { label: shell.theme.light, icon: Sun, onSelect: () => setTheme('light') },
        { label: shell.theme.dark, icon: Moon, onSelect: () => setTheme('dark') },
        'separator',
        { label: shell.signOut, icon: LogOut, onSelect: () => void signOut() },
      ]}
      trigger={
        <button type="button" className="flex h-8 items-center gap-2 rounded px-2 text-left text-text-2 hover:bg-sunken hover:text-text">
          <CircleUser className="size-4 shrink-0" strokeWidth={1.5} aria-hidden />
          <span className="min-w-0 flex-1 truncate">{email}</span>
          <ChevronsUpDown className="size-4 shrink-0 text-text-3" strokeWidth={1.5} aria-hidden />
        </button>
      }
    />
  )
}
