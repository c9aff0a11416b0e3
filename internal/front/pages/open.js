history.replaceState(null, '', location.pathname)
document.getElementById('open').submit()
