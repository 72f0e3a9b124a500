// Moves the one-time token from the address, which browsers send to nobody, into the form.
const field = document.querySelector('input[name="token"]');
const token = location.hash.slice(1);
if (field && token) {
  field.type = 'hidden';
  field.value = token;
  field.closest('.field')?.replaceWith(field);
  history.replaceState(null, '', location.pathname);
}
