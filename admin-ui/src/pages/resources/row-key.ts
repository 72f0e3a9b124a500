let made = 0;

/** Tells the rows of a form apart. */
export const newKey = () => {
  made += 1;
  return `row${made}`;
};
