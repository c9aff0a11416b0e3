import { createFileRoute, redirect } from '@tanstack/react-router'

export const Route = createFileRoute('/_app/p/$ref/auth/')({
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/p/$ref/auth/$page', params: { ref: params.ref, page: 'providers' }, replace: true })
  },
})
