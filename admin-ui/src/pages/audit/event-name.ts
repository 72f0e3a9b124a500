/** `token_issued` as one says it: `token issued`. */
export const eventName = (type: string) => type.replaceAll('_', ' ');
