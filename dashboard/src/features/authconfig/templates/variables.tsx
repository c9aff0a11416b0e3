import { Braces } from 'lucide-react'
import { Button } from '@/components/button'
import { Menu } from '@/components/menu'
import type { Schema } from '@/lib/api/client'
import { templates as t } from '@/strings/templates'

/** The values that the template may show, to insert at the cursor. */
export function Variables({ variables, onInsert }: { variables: Schema<'AuthconfigTemplateVariable'>[]; onInsert: (text: string) => void }) {
  const names = [...variables.map((v) => v.name), '.Data']
  return (
    <Menu
      label={t.insert}
      trigger={
        <Button size="small" icon={Braces}>
          {t.insert}
        </Button>
      }
      items={names.map((name) => ({
        label: `${name} · ${t.meaning[name] ?? ''}`,
        onSelect: () => setTimeout(() => onInsert(name === '.Data' ? '{{ .Data.name }}' : `{{ ${name} }}`)),
      }))}
    />
  )
}
