(function () {
  var fragment = new URLSearchParams(location.hash.slice(1))
  var query = new URLSearchParams(location.search)
  function get(name) { return fragment.get(name) || query.get(name) || '' }
  history.replaceState(null, '', location.pathname)
  var kinds = ['signup', 'invite', 'email_change', 'magiclink', 'recovery']
  var outcome = 'opened'
  if (get('error') || get('error_code')) {
    outcome = get('error_code') === 'otp_expired' ? 'otp_expired' : 'refused'
  } else if (get('message')) {
    outcome = 'halfway'
  } else if (get('access_token') && kinds.indexOf(get('type')) >= 0) {
    outcome = get('type')
  }
  document.getElementById('opened').hidden = true
  document.getElementById(outcome).hidden = false
  document.title = document.querySelector('#' + outcome + ' h1').textContent
  document.getElementById('why').textContent = get('error_description')
})()
