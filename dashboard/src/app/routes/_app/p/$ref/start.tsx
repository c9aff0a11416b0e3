import { createFileRoute } from '@tanstack/react-router'
import { FirstMinute } from '@/features/home/firstminute'

export const Route = createFileRoute('/_app/p/$ref/start')({ component: () => <FirstMinute projectRef={Route.useParams().ref} key={Route.useParams().ref} /> })
