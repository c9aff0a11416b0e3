export const orgSettings = {
  title: 'Settings',
  name: 'Name',
  nameHelp: 'What members see. The address of the organization stays as it is.',
  nameMissing: 'Enter a name',
  slug: 'Slug',
  plan: 'Plan',
  saved: 'The name was saved',
  danger: 'Delete this organization',
  dangerText: 'Its members, invitations, roles and service tokens end at once. Delete its projects first. The audit log is kept.',
  delete: 'Delete organization',
  deleteTitle: (name: string) => `Delete ${name}?`,
  deleted: (name: string) => `${name} was deleted`,
}
