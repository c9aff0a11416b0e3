export const palette = {
  title: 'Search or go to',
  placeholder: 'A page, a project, an organization…',
  nothing: 'Nothing has this name.',
  pages: 'Pages',
}
