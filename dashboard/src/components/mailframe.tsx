import { cx } from '@/lib/cx'

type Props = { title: string; html: string; /** The width of a phone rather than that of a page. */ narrow?: boolean; dark?: boolean; className?: string }

/** A mail as a mail program shows it: apart from the page, without scripts. */
export function MailFrame({ title, html, narrow, dark, className }: Props) {
  return (
    <div className={cx('flex justify-center overflow-x-auto rounded border border-line bg-sunken p-3', className)}>
      <iframe sandbox="" srcDoc={html} title={title} style={{ colorScheme: dark ? 'dark' : 'light' }} className={cx('h-[560px] shrink-0 rounded-sm border border-line', narrow ? 'w-[375px] max-w-full' : 'w-full', dark ? 'bg-[#000]' : 'bg-[#fff]')} />
    </div>
  )
}
