import { MailFrame } from '@/components/mailframe'
import { Segments } from '@/components/segments'
import { Skeleton } from '@/components/state'
import type { Schema } from '@/lib/api/client'
import { templates as t } from '@/strings/templates'

export type View = { width: 'wide' | 'narrow'; theme: 'light' | 'dark'; form: 'html' | 'text' }

type Props = { mail: Schema<'AuthconfigMailPreview'> | undefined; view: View; onView: (view: View) => void }

/** The mail as its reader sees it: on a wide or narrow screen, light or dark, or as plain text. */
export function Preview({ mail, view, onView }: Props) {
  if (!mail) return <Skeleton className="h-96 w-full" />
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-center gap-2">
        <p className="min-w-0 flex-1 basis-60 break-words">
          <span className="text-text-2">{t.subject}:</span> <span className="font-medium">{mail.subject}</span>
        </p>
        <Segments label={t.form} value={view.form} onChange={(form) => onView({ ...view, form })} options={[{ value: 'html', label: t.forms.html }, { value: 'text', label: t.forms.text }]} />
        {view.form === 'html' && (
          <>
            <Segments label={t.width} value={view.width} onChange={(width) => onView({ ...view, width })} options={[{ value: 'wide', label: t.widths.wide }, { value: 'narrow', label: t.widths.narrow }]} />
            <Segments label={t.theme} value={view.theme} onChange={(theme) => onView({ ...view, theme })} options={[{ value: 'light', label: t.themes.light }, { value: 'dark', label: t.themes.dark }]} />
          </>
        )}
      </div>
      {view.form === 'html' ? (
        <MailFrame title={t.frame(mail.subject)} html={mail.html} narrow={view.width === 'narrow'} dark={view.theme === 'dark'} />
      ) : (
        <pre tabIndex={0} className="max-h-[560px] overflow-auto rounded border border-line bg-sunken p-3 font-mono text-sm break-words whitespace-pre-wrap">
          {mail.text}
        </pre>
      )}
    </div>
  )
}
