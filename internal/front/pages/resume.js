fetch('/dashboard/session/refresh', { method: 'POST' })
  .then((answer) => {
    if (answer.ok || answer.status === 401) location.reload()
    else throw answer
  })
  .catch(() => {
    document.getElementById('state').textContent = 'Your session could not be continued at the moment. Reload the page.'
  })
