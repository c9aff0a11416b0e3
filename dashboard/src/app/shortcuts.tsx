import { Dialog } from '@/components/dialog'
import { palette } from '@/strings/palette'
import { shell } from '@/strings/shell'
import { orgPages, projectPages } from './projectpages'

const t = palette.shortcuts
const groups: { title: string; keys: [string, string][] }[] = [
  {
    title: t.groups.everywhere,
    keys: [
      ['Ctrl K', t.palette],
      ['/', t.search],
      ['?', t.help],
      ['Esc', t.close],
      [orgPages[0][2], shell.projects],
    ],
  },
  { title: t.groups.project, keys: projectPages.map(([, label, keys]) => [keys, label]) },
  {
    title: t.groups.table,
    keys: [
      ['↑ ↓', t.rows],
      ['Enter', t.open],
      ['Space', t.select],
    ],
  },
  { title: t.groups.editor, keys: [['Ctrl Enter', t.run]] },
]

/** The keys, as a list. */
export function Shortcuts({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t.title} wide>
      <div className="grid gap-x-10 gap-y-5 pb-4 sm:grid-cols-2">
        {groups.map((group) => (
          <section key={group.title}>
            <h3 className="mb-1 text-sm font-medium text-text-2">{group.title}</h3>
            <dl>
              {group.keys.map(([keys, label]) => (
                <div key={keys} className="flex items-center justify-between gap-4 border-b border-line py-1.5 last:border-0">
                  <dt>{label}</dt>
                  <dd className="flex gap-1">
                    {keys.split(' ').map((key, i) => (
                      <kbd key={i} className="min-w-6 rounded-sm border border-line bg-sunken px-1.5 text-center font-sans text-xs leading-5 text-text-2">
                        {key}
                      </kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
