// Takes the one-time token out of the address, where it never reached the server or a log, into the form.
const field = document.querySelector('input[name="token"]');
const token = location.hash.slice(1);
if (field && token) {
  field.value = token;
  field.closest('.field')?.setAttribute('hidden', '');
  history.replaceState(null, '', location.pathname);
}
