export const signIn = {
  title: 'Sign in',
  intro: 'Sign in to manage your projects.',
  email: 'E-mail address',
  password: 'Password',
  submit: 'Sign in',
  forgot: 'Forgot your password?',
  dev: {
    title: 'Signing in on this machine',
    text: 'The terminal in which Reeve runs shows a link that signs you in. It works once.',
    print: 'Print a new link',
    printed: 'The terminal shows a new link.',
  },
}
